//! What nobody can do to others: each attack runs beside another user's lookups, which go on.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Gateway, User};

/// What the other user does meanwhile.
const LOOKUP: &str = "{ deals(first: 5) { nodes { id name owner { name } } } }";
/// How long each of these may take in a test, unoptimized and with others at the machine. What it takes by itself is measured
/// by hand and stands in `docs/security.md`.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs an attack beside the other user's lookups, which must all be answered, and soon.
async fn beside<T>(victim: &User<'_>, attack: impl Future<Output = T>) -> T {
    victim.data(LOOKUP).await;
    let done = std::cell::Cell::new(false);
    let attacking = async {
        let outcome = attack.await;
        done.set(true);
        outcome
    };
    let looking = async {
        let mut slowest = Duration::ZERO;
        let mut lookups = 0;
        while !done.get() || lookups < 5 {
            let began = Instant::now();
            victim.data(LOOKUP).await;
            slowest = slowest.max(began.elapsed());
            lookups += 1;
        }
        (lookups, slowest)
    };
    let (outcome, (lookups, slowest)) = tokio::join!(attacking, looking);
    println!("{lookups} lookups beside the attack, the slowest {slowest:?}");
    assert!(slowest < PATIENCE, "{slowest:?}");
    outcome
}

fn nested(open: &str, inside: &str, close: &str, levels: usize) -> String {
    format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
}

#[tokio::test]
async fn no_document_exhausts_the_stack() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let bombs: Vec<String> = [1_580, 20_000, 200_000]
        .into_iter()
        .flat_map(|levels| {
            [
                format!("{{ __typename(a: {}) }}", nested("[", "", "]", levels)),
                format!("{{ __typename(a: {}) }}", nested("{a:", "1", "}", levels)),
                format!("{{ __typename @a(b: {}) }}", nested("[{a:", "$x", "}]", levels)),
                format!("query($a: {}) {{ __typename }}", nested("[", "Int", "]", levels)),
                format!("query($a: Int = {}) {{ __typename }}", nested("[", "1", "]", levels)),
                nested("{ a ", "", "}", levels),
                nested("{ ... ", "{ a }", "}", levels),
                nested("{ ... on Query ", "{ a }", "}", levels),
                "{ a(b: [".repeat(levels),
                "[".repeat(levels),
                "{".repeat(levels),
                "\"\"\"".repeat(levels),
            ]
        })
        .filter(|bomb| bomb.len() < 450_000)
        .collect();
    let attack = async {
        for bomb in &bombs {
            let answer = gateway.stranger().query(bomb).await;
            assert_eq!(answer.code(), "GRAPHQL_PARSE_FAILED", "{}", &bomb[..60]);
            assert!(answer.body.to_string().len() < 1_000, "{:#}", answer.body);
            // As an image on any page could ask for it.
            if bomb.len() < 8_000 {
                let get = gateway.http().get(format!("{}/graphql/stream", gateway.url)).query(&[("query", bomb)]);
                let text = get.send().await.expect("an answer").text().await.expect("text");
                assert!(text.contains("GRAPHQL_PARSE_FAILED"), "{text}");
            }
        }
    };
    beside(&cfo, attack).await;
    // By variables, too.
    for levels in [130, 1_580, 200_000] {
        let variables = nested("[", "", "]", levels);
        let body = format!(r#"{{"query": "query($a: JSON) {{ __typename }}", "variables": {{"a": {variables}}}}}"#);
        let request =
            gateway.http().post(format!("{}/graphql", gateway.url)).header("content-type", "application/json");
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
    }
}

#[tokio::test]
async fn no_number_exhausts_the_stack() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let attack = async {
        for zeros in [100, 9_500, 200_000] {
            let number = format!("{}1", "0".repeat(zeros));
            let variable = "query($d: Decimal) { deals(filter: { value: { gt: $d } }) { totalCount } }";
            let literal = format!("{{ deals(filter: {{ value: {{ gt: \"{number}\" }} }}) {{ totalCount }} }}");
            let fraction = format!("{{ deals(filter: {{ value: {{ gt: \"0.{number}\" }} }}) {{ totalCount }} }}");
            let json = format!(
                "{{ users(filter: {{ preferences: {{ contains: {{ a: 1.{number}e{number} }} }} }}) {{ totalCount }} }}"
            );
            let expected = if zeros == 100 { "UNAUTHENTICATED" } else { "GRAPHQL_VALIDATION_FAILED" };
            assert_eq!(gateway.stranger().run(variable, json!({ "d": number })).await.code(), expected);
            assert_eq!(gateway.stranger().query(&literal).await.code(), expected);
            assert_ne!(gateway.stranger().query(&fraction).await.code(), "INTERNAL");
            assert_ne!(gateway.stranger().query(&json).await.code(), "INTERNAL");
            if zeros < 10_000 {
                let get = gateway.http().get(format!("{}/graphql/stream", gateway.url)).query(&[("query", &literal)]);
                assert!(get.send().await.expect("an answer").text().await.expect("text").contains(expected));
            }
        }
    };
    beside(&cfo, attack).await;
    // Cursors are positions that anybody can write.
    let page = "query($a: String) { deals(first: 1, after: $a, orderBy: { field: VALUE }) { pageInfo { endCursor } } }";
    let cursor = cfo.data(page).await["deals"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let json: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&cursor).expect("base64")).expect("JSON");
    let forged = json!([json[0], ["0".repeat(20_000), json[1][1]]]).to_string();
    let forged = cfo.run(page, json!({ "a": BASE64_URL_SAFE_NO_PAD.encode(forged) })).await;
    assert_eq!(forged.code(), "VALIDATION_FAILED", "{:#}", forged.body);
}

#[tokio::test]
async fn wide_documents_keep_nobody_waiting() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let many = |count: usize| -> String { (0..count).map(|i| format!("a{i}: 1 ")).collect() };
    let attack = async {
        let wide = [
            format!("{{ __typename @skip({}) }}", many(13_000)),
            format!("{{ deals({}) {{ totalCount }} }}", many(13_000)),
            format!("{{ deals(filter: {{ {} }}) {{ totalCount }} }}", many(13_000)),
            format!("query($s: DealFilter = {{ {} }}) {{ deals(filter: $s) {{ totalCount }} }}", many(13_000)),
            format!("{{ health {{ database {} }} }}", "@a ".repeat(13_000)),
            format!("query({}) {{ __typename }}", (0..7_000).map(|i| format!("$a{i}: Nothing ")).collect::<String>()),
            format!("{{ deals(filter: {{ id: {{ in: [{}] }} }}) {{ totalCount }} }}", "\"x\" ".repeat(38_000)),
            format!("{{ deals(filter: {{ stage: {{ in: [{}] }} }}) {{ totalCount }} }}", "X ".repeat(38_000)),
        ];
        for document in &wide {
            let began = Instant::now();
            let answer = gateway.stranger().query(document).await;
            println!("{} bytes: {:?}", document.len(), began.elapsed());
            assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
        }
        // A valid one is as wide.
        let valid =
            format!("{{ aiActions(filter: {{ inputs: {{ contains: {{ {} }} }} }}) {{ totalCount }} }}", many(9_000));
        assert_eq!(gateway.stranger().query(&valid).await.code(), "UNAUTHENTICATED");
        let stranger = gateway.stranger();
        join_all(wide.iter().map(|document| stranger.query(document))).await;
    };
    beside(&cfo, attack).await;
    let long = json!({ "s": "x".repeat(100_000) });
    for operator in ["contains", "startsWith", "endsWith"] {
        let query =
            format!("query($s: String!) {{ deals(filter: {{ name: {{ {operator}: $s }} }}) {{ totalCount }} }}");
        assert_eq!(cfo.run(&query, long.clone()).await.code(), "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn introspection_does_not_unfold() {
    // As it is in production: an answer that tells its statements is never the same twice.
    let gateway = Gateway::with(&["--expose-statements", "false"]).await;
    let cfo = gateway.cfo().await;
    let stranger = gateway.stranger();
    let levels = |count: usize| {
        let inside = nested("inputFields { type { ", "name", " } }", count);
        format!("{{ __type(name: \"DealFilter\") {{ {inside} }} }}")
    };
    let aliases: String =
        (0..300).map(|i| format!("a{i}: __schema {{ types {{ name fields {{ name }} }} }} ")).collect();
    let inner: String = (0..400).map(|i| format!("a{i}: fields {{ name }} ")).collect();
    let spread = format!("{{ __schema {{ types {{ ...F }} }} }} fragment F on __Type {{ {inner} }}");
    let attack = async {
        for query in [
            levels(7),
            levels(3),
            format!("{{ {aliases} }}"),
            format!("{{ __schema {{ types {{ {inner} }} }} }}"),
            spread,
            // Much to look at, and little to tell.
            format!(
                "{{ {} }}",
                (0..400)
                    .map(|i| format!("a{i}: __schema {{ types {{ fields {{ args {{ name @skip(if: true) }} }} }} }} "))
                    .collect::<String>()
            ),
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into(),
            "{ __schema { types { possibleTypes { interfaces { possibleTypes { name } } } } } }".into(),
        ] {
            let answer = stranger.query(&query).await;
            assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
            assert!(answer.message().contains("introspection is"), "{}", answer.message());
        }
    };
    beside(&cfo, attack).await;
    // What tools ask for is answered, ready and compressed from the second time on.
    let whole = include_str!("introspection.graphql");
    let ask = || {
        let request = gateway.http().post(format!("{}/graphql", gateway.url)).json(&json!({ "query": whole }));
        request.header("accept-encoding", "gzip").send()
    };
    let first = ask().await.expect("an answer");
    let began = Instant::now();
    let second = ask().await.expect("an answer");
    println!("the whole schema, the second time: {:?}", began.elapsed());
    assert_eq!(second.headers()["content-encoding"], "gzip");
    let (first, second) = (first.bytes().await.expect("bytes"), second.bytes().await.expect("bytes"));
    assert_eq!(first, second);
    assert!(second.len() < 250_000, "{}", second.len());
    let plain: Value = stranger.query(whole).await.body;
    let types = plain["data"]["__schema"]["types"].as_array().map(Vec::len);
    assert!(types > Some(300), "{types:?}");

    let private = Gateway::with(&["--introspection", "signed-in"]).await;
    assert_eq!(private.stranger().query("{ __schema { types { name } } }").await.code(), "UNAUTHENTICATED");
    // Nor is a stranger told of the schema by the way.
    let mistake = "{ dael(id: \"x\") { nmae } }";
    assert!(!private.stranger().query(mistake).await.message().contains("Did you mean"));
    assert!(private.cfo().await.query(mistake).await.message().contains("Did you mean `deal`"));
    assert!(private.cfo().await.data("{ __schema { types { name } } }").await["__schema"]["types"].is_array());
}

#[tokio::test]
async fn answers_and_errors_are_bounded() {
    let gateway = Gateway::with(&["--max-answer-mebibytes", "1"]).await;
    let (attacker, victim) =
        (gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await, gateway.cfo().await);
    let aliases: String = (0..40).map(|i| format!("a{i}: newValue ")).collect();
    let many = format!("{{ deals(first: 500) {{ nodes {{ history(first: 500) {{ nodes {{ {aliases} }} }} }} }} }}");
    let more: String = (0..1_000).map(|i| format!("a{i}: newValue ")).collect();
    let more = format!("{{ deals(first: 500) {{ nodes {{ history(first: 20) {{ nodes {{ {more} }} }} }} }} }}");
    let bodies: String = (0..200).map(|i| format!("a{i}: body ")).collect();
    let long = format!("{{ clauses(first: 500) {{ nodes {{ {bodies} }} }} }}");
    let attack = async {
        for query in [&many, &more] {
            let answer = victim.query(query).await;
            assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
            assert!(answer.message().contains("values"), "{}", answer.message());
        }
        for answer in join_all((0..8).map(|_| attacker.query(&long))).await {
            assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body["errors"]);
            assert!(answer.message().contains("too large: it had 1"), "{}", answer.message());
        }
        // What is wrong a thousand times is told some times.
        let wrong: String = (0..1_900).map(|i| format!("a{i}: nothing @nothing ")).collect();
        let directives = format!("{{ health {{ database {} }} }}", "@nothing ".repeat(15_000));
        let arguments = format!("{{ health({}) {{ database }} }}", "a: 1 ".repeat(10_000));
        for query in
            [format!("{{ {wrong} }}"), directives, arguments, format!("{{ health {} }}", "@nothing ".repeat(95_000))]
        {
            let answer = gateway.stranger().query(&query).await;
            assert!(answer.code().starts_with("GRAPHQL_"), "{:#}", answer.body);
            let told = answer.body["errors"].as_array().map_or(0, Vec::len);
            assert!((1..=20).contains(&told) && answer.body.to_string().len() < 20_000, "{told} errors");
        }
    };
    beside(&victim, attack).await;
    // Within the bounds everything is answered.
    victim.data("{ deals(first: 500) { nodes { id name } } }").await;
}

#[tokio::test]
async fn suggestions_cost_little() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let long = "x".repeat(120_000);
    let fields: String = (0..8).map(|i| format!("{long}{i} ")).collect();
    let began = Instant::now();
    let answer = gateway.stranger().query(&format!("{{ {fields} }}")).await;
    println!("8 names of 120 kB: {:?}", began.elapsed());
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert!(answer.body.to_string().len() < 5_000, "names are repeated in short");
    // Each of many is not compared with everything.
    let near: String = (0..1_900).map(|i| format!("deal{i} ")).collect();
    let began = Instant::now();
    let answer = beside(&cfo, gateway.stranger().query(&format!("{{ {near} }}"))).await;
    println!("1,900 names: {:?}", began.elapsed());
    let suggesting = answer.body["errors"].as_array().expect("errors").iter();
    let suggesting =
        suggesting.filter(|error| error["message"].as_str().is_some_and(|told| told.contains("Did you mean")));
    assert!((1..=8).contains(&suggesting.count()), "{:#}", answer.body);
}

#[tokio::test]
async fn filters_reach_through_as_many_relations_as_can_be_planned() {
    let gateway = Gateway::demo().await;
    let (attacker, victim) =
        (gateway.cfo().await, gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await);
    let some = "history: { some: { changedByUser: { budgetsCreated: { some: { name: { eq: \"x\" } } } } } }";
    let aliases = |count: usize| -> String {
        (0..count).map(|i| format!("a{i}: deals(first: 1, filter: {{ {some} }}) {{ nodes {{ id }} }} ")).collect()
    };
    let heavy = format!("{{ {} }}", aliases(40));
    let attack = async {
        for answer in join_all([&heavy; 3].map(|heavy| attacker.query(heavy))).await {
            // The first fields are answered, and none beyond what a request may reach through.
            let told = answer.body["errors"].as_array().expect("errors");
            assert!(told.iter().all(|error| error["extensions"]["field"] == "filter"), "{:#}", answer.body);
            assert_eq!(told.len(), 40 - 28, "{told:?}");
        }
    };
    beside(&victim, attack).await;
    attacker.data(&format!("{{ {} }}", aliases(28))).await;
}
