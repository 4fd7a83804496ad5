//! Operations mean what the specification says, to the letter, and what is answered as failed was not done.

use serde_json::{Value, json};

use crate::support::{Answer, Gateway, User};

const BUDGET: &str = "createBudget(input: { name: \"Exact\", fiscalYear: 2066, version: \"a\" })";

async fn count(gateway: &Gateway, what: &str) -> Value {
    gateway.value(&format!("SELECT count(*) FROM {what}")).await
}

fn unfit(answer: &Answer) {
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{:#}", answer.body);
    // Refused before it was executed: then there is no data, not even null.
    assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
}

/// Sends a body as it is written.
async fn send(user: &User<'_>, gateway: &Gateway, body: &str) -> Value {
    let request = gateway.http().post(format!("{}/graphql", gateway.url)).header("content-type", "application/json");
    let token = user.token.as_deref().expect("a token");
    let answer = request.bearer_auth(token).body(body.to_owned()).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

/// Section 7.2.2: the fields of an answer are in the order in which they were asked for, also where some take longer than others.
#[tokio::test]
async fn answers_are_in_the_order_of_the_selection() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let fields = [
        ("user", "user { name }"),
        ("sessionId", "sessionId"),
        ("granted", "granted: permissions { description name }"),
        ("mine", "mine: workspaces { permissions { name description } role workspaceId }"),
        ("invitations", "invitations { role }"),
        ("again", "again: user { role email }"),
    ];
    let placed = |text: &str, key: &str| text.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {text}"));
    for turn in 0..fields.len() * 2 {
        let mut asked = fields;
        asked.rotate_left(turn % fields.len());
        if turn >= fields.len() {
            asked.reverse();
        }
        let selection: Vec<_> = asked.iter().map(|(_, selection)| *selection).collect();
        let query = format!("{{ one: me {{ {} }} }}", selection.join(" "));
        let request = agent.request(json!({ "query": query }));
        let text = request.send().await.expect("an answer").text().await.expect("a body");
        let places: Vec<_> = asked.iter().map(|(key, _)| placed(&text, key)).collect();
        assert!(places.is_sorted(), "{query}: {text}");
        let mine = &text[placed(&text, "mine")..];
        // The key `role` is asked for behind the permissions, the description before the name only where it was so.
        assert!(
            placed(mine, "permissions") < placed(mine, "role") && placed(mine, "role") < placed(mine, "workspaceId"),
            "{text}"
        );
        assert!(placed(mine, "name") < placed(mine, "description"), "{text}");
    }
    // Of what a mutation answers, too, where a row is read after the rest is known.
    let cfo = gateway.cfo().await;
    let snapshot = "mutation { one: takePipelineSnapshot(replace: true) { dealsLeftOut snapshot { id } currency } }";
    let text = cfo.request(json!({ "query": snapshot })).send().await.expect("an answer").text().await.expect("a body");
    if text.contains("\"snapshot\"") {
        assert!(
            placed(&text, "dealsLeftOut") < placed(&text, "snapshot")
                && placed(&text, "snapshot") < placed(&text, "currency"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn conditions_and_defaults_hold_for_queries_and_mutations_alike() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let shown = "query($s: Boolean! = true) { deals(first: 1) { nodes { id name @include(if: $s) } } }";
    assert!(cfo.data(shown).await["deals"]["nodes"][0]["name"].is_string());
    let hidden = cfo.run(shown, json!({ "s": false })).await.ok();
    assert!(hidden["deals"]["nodes"][0].get("name").is_none(), "{hidden:#}");

    // What is to be skipped is not done: at the root, in fragments, by default and by value.
    for (operation, variables) in [
        (format!("mutation($s: Boolean! = true) {{ {BUDGET} @skip(if: $s) {{ id }} }}"), json!({})),
        (format!("mutation($i: Boolean = false) {{ {BUDGET} @include(if: $i) {{ id }} }}"), json!({})),
        (format!("mutation($s: Boolean!) {{ ... @skip(if: $s) {{ {BUDGET} {{ id }} }} }}"), json!({ "s": true })),
        (
            format!("mutation($s: Boolean!) {{ ...F @skip(if: $s) }} fragment F on Mutation {{ {BUDGET} {{ id }} }}"),
            json!({ "s": true }),
        ),
        (format!("mutation {{ {BUDGET} @skip(if: true) @include(if: true) {{ id }} }}"), json!({})),
    ] {
        assert_eq!(cfo.run(&operation, variables).await.ok(), json!({}), "{operation}");
    }
    assert_eq!(count(&gateway, "budgets WHERE name = 'Exact'").await, 0);

    // Nothing is left: an empty object, not null.
    let nothing = cfo.query("{ me @include(if: false) { user { name } } }").await;
    assert_eq!(nothing.body["data"], json!({}));
    assert_eq!(
        cfo.data("query($n: Int = 3) { deals(first: $n) { nodes { id } } }").await["deals"]["nodes"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    let none = "query($n: Int = 3) { deals(first: $n) { nodes { id } } }";
    assert_eq!(cfo.run(none, json!({ "n": null })).await.ok()["deals"]["nodes"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn variables_are_what_they_were_defined_to_be() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let owned = "query($o: UUID!) { deals(filter: { ownerId: { eq: $o } }) { totalCount } }";
    for variables in [json!({}), json!({ "o": null }), json!({ "o": 7 }), json!({ "o": "nobody" }), json!({ "o": [] })]
    {
        unfit(&cfo.run(owned, variables).await);
    }
    let metrics = count(&gateway, "financial_metrics").await;
    let import = "mutation($d: Boolean!) { importMetrics(csv: \"date,type,value\", dryRun: $d) { total } }";
    let answer = cfo.run(import, json!({ "d": null })).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{:#}", answer.body);
    assert_eq!(count(&gateway, "financial_metrics").await, metrics);
    for operation in [
        "query($n: String) { deals(first: $n) { totalCount } }",
        "query($n: [Int]) { deals(first: $n) { totalCount } }",
        "query($f: DealFilter!) { vendors(filter: $f) { totalCount } }",
        "query($o: UUID) { deals(filter: { ownerId: { in: [$o] } }) { totalCount } }",
        "query($s: Boolean) { deals @include(if: $s) { totalCount } }",
        "query($a: Deal) { deals { totalCount } }",
        "query($a: Int, $a: Int) { deals(first: $a) { totalCount } }",
        "query($a: Int) { deals { totalCount } }",
        "query { deals(first: $a) { totalCount } }",
        "query { ...F } fragment F on Query { deals(first: $a) { totalCount } }",
    ] {
        unfit(&cfo.run(operation, json!({ "s": true })).await);
    }
    // A whole number of any size is an ID, as a variable and in the document.
    for number in
        ["7", "-7", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1180591620717411303424"]
    {
        let literal = cfo.query(&format!("{{ node(nodeId: {number}) {{ nodeId }} }}")).await;
        let body = format!(
            "{{\"query\": \"query($n: ID!) {{ node(nodeId: $n) {{ nodeId }} }}\", \"variables\": {{\"n\": {number}}}}}"
        );
        let variable = send(&cfo, &gateway, &body).await;
        assert_eq!(variable["data"], literal.body["data"], "{number}: {variable:#}");
        assert_eq!(variable["errors"][0]["message"], literal.body["errors"][0]["message"], "{number}");
        assert_eq!(variable["errors"][0]["extensions"]["code"], literal.code(), "{number}");
    }
    // One is a list of one, and a variable's default is coerced, too.
    let stages = "query($s: [DealStage!] = NEGOTIATION) { deals(filter: { stage: { in: $s } }) { totalCount } }";
    let one = cfo.data(stages).await["deals"]["totalCount"].clone();
    assert_eq!(cfo.run(stages, json!({ "s": "NEGOTIATION" })).await.ok()["deals"]["totalCount"], one);
    assert_eq!(
        json!([one]),
        json!([gateway.value("SELECT count(*) FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo' AND stage = 'Negotiation'").await])
    );
}

#[tokio::test]
async fn a_field_is_given_once_and_no_digit_is_lost() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let budget = |lines: &str| {
        format!(
            "mutation {{ createBudget(input: {{ name: \"Digits\", fiscalYear: 2067, version: \"a\", lines: [{lines}] }}) {{ totalAmount }} }}"
        )
    };
    unfit(&cfo.query(&budget("{ category: \"x\", q1Amount: \"1\", q1Amount: \"2\" }")).await);
    unfit(&cfo.query("{ users(filter: { preferences: { contains: { a: 1, a: 2 } } }) { totalCount } }").await);
    let twice = r#"{"query": "query($f: DealFilter) { deals(filter: $f) { totalCount } }", "variables": {"f": {"name": {"eq": "a"}, "name": {"eq": "b"}}}}"#;
    assert_eq!(send(&cfo, &gateway, twice).await["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(count(&gateway, "budgets WHERE name = 'Digits'").await, 0);

    let exact = cfo.data(&budget("{ category: \"x\", q1Amount: 1234567890123456.78 }")).await;
    assert_eq!(exact["createBudget"]["totalAmount"], "1234567890123456.78");
    let variable = r#"{"query": "mutation($q: Decimal!) { createBudget(input: { name: \"Digits\", fiscalYear: 2068, version: \"a\", lines: [{ category: \"x\", q1Amount: $q }] }) { totalAmount } }", "variables": {"q": 1234567890123456.78}}"#;
    assert_eq!(send(&cfo, &gateway, variable).await["data"]["createBudget"]["totalAmount"], "1234567890123456.78");
    // In free JSON a number is itself, or refused.
    let preferences = |number: &str| {
        format!(
            r#"{{"query": "query($j: JSON!) {{ users(filter: {{ preferences: {{ contains: $j }} }}) {{ totalCount }} }}", "variables": {{"j": {{"n": {number}}}}}}}"#
        )
    };
    assert!(send(&cfo, &gateway, &preferences("0.1")).await.get("errors").is_none());
    let refused = send(&cfo, &gateway, &preferences("1234567890123456.78")).await;
    assert!(refused["errors"][0]["message"].as_str().is_some_and(|told| told.contains("as a string")), "{refused:#}");
}

#[tokio::test]
async fn strings_are_read_as_they_are_written() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for (at, (written, meant)) in [
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\u{1f600} \u{41}""#, "😀 A"),
        (r#""a\"b\\c\/d""#, "a\"b\\c/d"),
        ("\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b"),
        ("\"\"\"\n    one\n      two\n    \"\"\"", "one\n  two"),
    ]
    .into_iter()
    .enumerate()
    {
        let create = format!(
            "mutation {{ createBudget(input: {{ name: \"Text\", fiscalYear: {}, version: \"a\", lines: [{{ category: \"x\", description: {written} }}] }}) {{ lineItems {{ nodes {{ description }} }} }} }}",
            2070 + at
        );
        let made = cfo.data(&create).await;
        assert_eq!(made["createBudget"]["lineItems"]["nodes"][0]["description"], meant, "{written}");
    }
    for wrong in [r#""\ud800""#, r#""\ude00\ud83d""#, r#""\u{110000}""#, r#""\x""#, "\"a\nb\"", r#""\u{}""#] {
        let answer = cfo.query(&format!("{{ deals(filter: {{ name: {{ eq: {wrong} }} }}) {{ totalCount }} }}")).await;
        assert_eq!(answer.code(), "GRAPHQL_PARSE_FAILED", "{wrong}");
        assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
    }
}

#[tokio::test]
async fn what_the_specification_refuses_is_refused() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for query in [
        "{ deals(filter: { stage: { eq: \"NEGOTIATION\" } }) { totalCount } }",
        "{ deals(orderBy: { field: \"VALUE\" }) { totalCount } }",
        "{ __typename { x } }",
        "{ __typename @nothing }",
        "{ deals { __typename @skip } }",
        "{ node(nodeId: \"x\") { ... on Deal { x: value } ... on Clause { x: title } ... on Budget { x: rowVersion } } }",
        "{ node(nodeId: \"x\") { ... on Deal { name } ... on Deal { name: stage } } }",
        "{ deals { totalCount totalCount: nodes { id } } }",
        "{ deals(first: 1) { nodes { id } } deals(first: 2) { nodes { id } } }",
        "{ deals { nodes { id } } ...F } fragment F on Query { deals(first: 2) { nodes { id } } }",
        "{ deals { totalCount } } fragment Unused on Deal { id }",
        "mutation { logout @transaction }",
        "{ deals @include(if: true) @include(if: true) { totalCount } }",
        "{ deals @skip(if: true, if: false) { totalCount } }",
        "{ deals(first: 1, first: 1) { totalCount } }",
        "{ deals { nodes { id } } } query A { me { sessionId } }",
        "query A { health { database } } query A { health { database } }",
        "{ deals(filter: { value: { gt: true } }) { totalCount } }",
        "{ health { ... on Deal { id } } }",
        "{ health { ... on UUID { id } } }",
        "subscription { budgetChanged { kind } dealChanged { kind } }",
        "subscription { __typename }",
        "subscription { budgetChanged @include(if: true) { kind } }",
        "type A { b: Int }",
    ] {
        unfit(&cfo.query(query).await);
    }
    for query in [
        "query A() { health { database } }",
        "{ deals() { totalCount } }",
        "{ deals(first 5) { totalCount } }",
        "{ health { } }",
        "{ health(a: 01) { database } }",
    ] {
        let answer = cfo.query(query).await;
        assert_eq!(answer.code(), "GRAPHQL_PARSE_FAILED", "{query}");
        assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
    }
    // And what it allows is taken: keywords as names, commas anywhere, one type under one key in different fragments.
    for query in [
        "query query { health { database } }",
        "\"What it is for\" query Q(\"Whose\" $a: Boolean! = true) { health { database @include(if: $a) } ...F } \"\"\"Of\nlines\"\"\" fragment F on Query { __typename }",
        "{,,health,{,database,},}",
        "{ health { fragment: database on: database true: database } }",
        "{ a: deal(id: \"00000000-0000-0000-0000-000000000000\") { ... on Node { nodeId } ...F ...F } } fragment F on Deal { id }",
        "\u{feff}{ health { database } } # the end",
    ] {
        cfo.data(query).await;
    }
}

#[tokio::test]
async fn a_get_changes_nothing_and_an_empty_name_is_none() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let get = |parameters: &[(&str, &str)]| {
        let request = gateway.http().get(format!("{}/graphql/stream", gateway.url)).query(parameters);
        request.bearer_auth(cfo.token.as_deref().expect("a token")).header("accept", "text/event-stream").send()
    };
    let mutation = format!("mutation {{ {BUDGET} {{ id }} }}");
    for parameters in [vec![("query", mutation.as_str())], vec![("query", mutation.as_str()), ("operationName", "")]] {
        let refused = get(&parameters).await.expect("an answer");
        assert_eq!((refused.status().as_u16(), refused.headers()["allow"].as_bytes()), (405, &b"POST"[..]));
        let body: Value = refused.json().await.expect("JSON");
        assert!(body.get("data").is_none() && body["errors"][0]["extensions"]["code"] == "BAD_REQUEST", "{body:#}");
    }
    assert_eq!(count(&gateway, "budgets WHERE name = 'Exact'").await, 0);
    let named = [("query", "query A { health { database } }"), ("operationName", "")];
    let text = get(&named).await.expect("an answer").text().await.expect("text");
    assert!(text.contains("\"database\":true"), "{text}");
    let unknown = [("query", "query A { health { database } }"), ("operationName", "B")];
    let text = get(&unknown).await.expect("an answer").text().await.expect("text");
    assert!(text.contains("GRAPHQL_VALIDATION_FAILED"), "{text}");
}

#[tokio::test]
async fn a_field_that_is_never_null_takes_its_parent_along() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let nothing = "{ a: workspaces(first: 1) { totalCount } impactOf(nodeId: \"00000000-0000-0000-0000-000000000000\") { distance } }";
    let answer = agent.query(nothing).await;
    assert_eq!(answer.code(), "NOT_FOUND", "{:#}", answer.body);
    assert_eq!(answer.body.get("data"), Some(&Value::Null), "{:#}", answer.body);
    assert_eq!(answer.body["errors"][0]["path"], json!(["impactOf"]));
    // Without a token `me` fails, which is never null.
    let answer = gateway.stranger().query("{ me { sessionId } health { database } }").await;
    assert_eq!((answer.code(), answer.body.get("data")), ("UNAUTHENTICATED", Some(&Value::Null)), "{:#}", answer.body);
    // A field that may be null is, and the others keep their answers, in the order in which they were asked for.
    let answer = gateway.stranger().query("{ z: deals { totalCount } health { database } a: __typename }").await;
    let text = answer.body["data"].to_string();
    assert_eq!(answer.body["data"]["z"], Value::Null, "{text}");
    assert_eq!(answer.body["data"]["a"], "Query");
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_before_anything_is_done() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for selection in [
        "id organization { deals(first: 501) { nodes { id } } }",
        "id organization { deals(after: \"no cursor\") { nodes { id } } }",
        "id organization { deals(filter: { name: { eq: null } }) { totalCount } }",
        "id organization { deals(first: 500) { nodes { history(first: 500) { nodes { deal { history(first: 500) { nodes { id } } } } } } } }",
    ] {
        for operation in [
            format!(
                "mutation {{ createVendor(input: {{ name: \"Unanswered\", category: \"Cloud\" }}) {{ {selection} }} }}"
            ),
            // Nor is what stands before it.
            format!(
                "mutation {{ {BUDGET} {{ id }} createVendor(input: {{ name: \"Unanswered\", category: \"Cloud\" }}) {{ {selection} }} }}"
            ),
            format!(
                "mutation @transaction {{ {BUDGET} {{ id }} createVendor(input: {{ name: \"Unanswered\", category: \"Cloud\" }}) {{ {selection} }} }}"
            ),
        ] {
            let answer = cfo.query(&operation).await;
            assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
            assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
        }
    }
    assert_eq!(count(&gateway, "vendors WHERE name = 'Unanswered'").await, 0);
    assert_eq!(count(&gateway, "budgets WHERE name = 'Exact'").await, 0);
}

#[tokio::test]
async fn a_change_whose_answer_cannot_be_read_is_told_as_made() {
    let gateway = Gateway::with(&["--statement-timeout-seconds", "1"]).await;
    let cfo = gateway.cfo().await;
    cfo.data("{ deals(first: 1) { nodes { id } } }").await;
    let lock = sea_orm::TransactionTrait::begin(&gateway.owner).await.expect("a transaction");
    let sql = "LOCK TABLE deals IN ACCESS EXCLUSIVE MODE";
    sea_orm::ConnectionTrait::execute_unprepared(&lock, sql).await.expect("a lock");
    let create = |name: &str, directive: &str| {
        format!(
            "mutation {directive} {{ createVendor(input: {{ name: \"{name}\", category: \"Cloud\" }}) {{ id organization {{ deals(first: 1) {{ nodes {{ id }} }} }} }} }}"
        )
    };
    let made = cfo.query(&create("Made", "")).await;
    let together = cfo.query(&create("Together", "@transaction")).await;
    let after = format!(
        "mutation @transaction {{ createVendor(input: {{ name: \"After\", category: \"Cloud\" }}) {{
            id organization {{ deals(first: 1) {{ nodes {{ id }} }} }} }} b: {BUDGET} {{ id }} }}"
    );
    let after = cfo.query(&after).await;
    sea_orm::DatabaseTransaction::rollback(lock).await.expect("it is let go");
    assert_eq!(made.code(), "CHANGE_COMMITTED", "{:#}", made.body);
    let extensions = &made.body["errors"][0]["extensions"];
    assert_eq!(extensions["type"], "Vendor");
    assert!(
        made.message().contains("Do not send it again") && !made.message().contains("Try again"),
        "{}",
        made.message()
    );
    // What it says how to read is there.
    let read = format!("{{ vendor(id: {}) {{ name }} }}", extensions["id"]);
    assert_eq!(cfo.data(&read).await["vendor"]["name"], "Made");
    // As one transaction, what cannot be answered is not done either, and is told as not done.
    assert_eq!(together.code(), "TIMEOUT", "{:#}", together.body);
    assert_eq!(count(&gateway, "vendors WHERE name = 'Together'").await, 0);
    // And nothing more is tried behind it.
    let codes = after.body["errors"].as_array().expect("errors").iter().map(|error| &error["extensions"]["code"]);
    assert_eq!(codes.collect::<Vec<_>>(), ["TIMEOUT", "PRECONDITION_FAILED"], "{:#}", after.body);
}

#[tokio::test]
async fn mistakes_are_answered_so_that_one_can_go_on() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mistakes = [
        ("{ deals { name } }", "nodes { name }"),
        ("{ deals(where: { name: { eq: \"x\" } }) { totalCount } }", "`filter`"),
        ("{ deals(limit: 5) { totalCount } }", "`first`"),
        ("{ deals(offset: 5) { totalCount } }", "`after`"),
        ("{ deals(sort: \"value\") { totalCount } }", "`orderBy`"),
        ("{ deals(filter: { stage: { eq: negotiation } }) { totalCount } }", "Write NEGOTIATION"),
        ("{ deals(filter: { stage: { eq: \"NEGOTIATION\" } }) { totalCount } }", "Write NEGOTIATION without quotes"),
        ("{ deals(filter: { stage: NEGOTIATION }) { totalCount } }", "{ eq: NEGOTIATION }"),
        ("{ deals(filter: { name: { like: \"x\" } }) { totalCount } }", "`contains`"),
        ("{ deals(filter: { name: { _eq: \"x\" } }) { totalCount } }", "`eq`"),
        ("{ deals(orderBy: { value: DESC }) { totalCount } }", "{ field: VALUE, direction: DESC }"),
        ("{ deals(orderBy: { actualCloseDate: ASC }) { totalCount } }", "{ field: ACTUAL_CLOSE_DATE, direction: ASC }"),
        ("{ deals(orderBy: \"value\") { totalCount } }", "{ field: VALUE }"),
        ("{ deals(filter: { actualCloseDate: { gt: \"22.11.2026\" } }) { totalCount } }", "2026-11-22"),
        ("{ deals(filter: { createdAt: { gt: \"yesterday\" } }) { totalCount } }", "2026-11-22T"),
        ("{ deals }", "nodes { id }"),
        ("{ deal { name } }", "`id`"),
        ("{ dael(id: \"x\") { name } }", "`deal`"),
        ("{ deals { nodes { nmae } } }", "`name`"),
        ("{ deals(filter: { nmae: { eq: \"x\" } }) { totalCount } }", "`name`"),
        ("{ deals { nodes { name }", "`}`"),
        ("{ deals(first: ) { totalCount } }", "a value, such as `10`"),
        ("query($first: Nit) { deals(first: $first) { totalCount } }", "`Int`"),
        ("{ node(nodeId: \"x\") { title } }", "... on "),
        ("{ deals(first: $n) { totalCount } }", "query($n: …)"),
        ("{ deals(first: \"10\") { totalCount } }", "without quotes"),
        ("{ deals(first: 99999999999) { totalCount } }", "a whole number of 32 bits"),
        ("{ deals(orderBy: VALUE_DESC) { totalCount } }", "{ field: VALUE, direction: DESC }"),
        ("{ deals { edges { name } } }", "node { name }"),
        ("{ metrics { totalCount } }", "`financialMetrics`"),
        ("{ pipeline { totalCount } }", "`pipelineSnapshots`"),
        ("{ deals { nodes { closeDate } } }", "`actualCloseDate`"),
        ("{ currentUser { user { id } } }", "Write `me`"),
        ("{ scenario(id: \"01a2cf0c-0000-7000-8000-000000000000\") { nodes { id } } }", "`scenarios { nodes { id } }`"),
        ("{ deals(filter: { name: { eq: 'x' } }) { totalCount } }", "double quotes"),
        ("{ deals(first: -1) { totalCount } }", "`first` must be a whole number"),
        ("{ logout }", "write `mutation { logout … }`"),
        ("mutation { deals { totalCount } }", "write `query { deals … }`"),
    ];
    let mut amiss = Vec::new();
    for (query, says) in mistakes {
        let answer = cfo.query(query).await;
        let place = &answer.body["errors"][0]["locations"][0];
        if !answer.message().contains(says) || place["line"].as_u64() != Some(1) || place["column"].as_u64() < Some(2) {
            amiss.push(format!("{query}: {says} is not said, or not at the place: {:#}", answer.body));
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
    // What is refused below the root is told where it stands.
    for query in [
        "{ workspaces { nodes { clauses(first: 501) { totalCount } } } }",
        "{ workspaces { nodes { members { nodes { workspace { clauses(first: 501) { totalCount } } } } } } }",
        "mutation { createVendor(input: { name: \"x\", category: \"y\" }) { organization { deals(first: 501) { totalCount } } } }",
    ] {
        let place = query.find("clauses").or_else(|| query.find("deals")).expect("a place") + 1;
        let answer = cfo.query(query).await;
        assert_eq!(answer.body["errors"][0]["locations"], json!([{ "line": 1, "column": place }]), "{:#}", answer.body);
    }
    let variable = cfo
        .run(
            "query($s: DealStage) { deals(filter: { stage: { eq: $s } }) { totalCount } }",
            json!({ "s": "negotiation" }),
        )
        .await;
    assert!(variable.message().contains("Write NEGOTIATION"), "{}", variable.message());
    // Where the schema is not told, nothing of it is suggested.
    let closed = Gateway::with(&["--introspection", "off"]).await;
    let cfo = closed.cfo().await;
    for (query, _) in mistakes {
        let answer = cfo.query(query).await;
        let told = answer.message();
        // How a date is written is no secret.
        let suggests = ["Did you mean", "Write `", "Write N", "Its values are"].iter().any(|hint| told.contains(hint));
        assert!(!suggests, "{query}: {told}");
    }
}
