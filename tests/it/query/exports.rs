//! Rows as files: what is in them, for whom, and what becomes of a download.

use std::{collections::BTreeSet, io::Cursor, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME, User, python},
};

const EXPORT: &str = "mutation($query: String!, $variables: JSON, $format: RowFormat!) {
    exportRows(query: $query, variables: $variables, format: $format) {
        id url fileName expiresAt columns { name type } export { status rowsWritten requestedByUser { email } } } }";

pub fn cases() -> Vec<Case> {
    vec![case!(
        "exportRows",
        May::SignedIn,
        "SELECT 1 AS nothing",
        "mutation { exportRows(query: \"{ users { nodes { name } } }\", format: CSV) { url export { status } } }"
    )]
}

/// What somebody asks for as a file.
async fn ask(user: &User<'_>, query: &str, format: &str) -> Value {
    user.run(EXPORT, json!({ "query": query, "format": format })).await.ok()["exportRows"].take()
}

/// What a file's address answers.
async fn get(gateway: &Gateway, url: &str) -> reqwest::Response {
    gateway.http().get(format!("{}{url}", gateway.url)).send().await.expect("an answer")
}

async fn file(gateway: &Gateway, user: &User<'_>, query: &str, format: &str) -> Vec<u8> {
    let asked = ask(user, query, format).await;
    let answer = get(gateway, asked["url"].as_str().expect("an address")).await;
    assert_eq!(answer.status(), 200, "{query}");
    answer.bytes().await.expect("a file").to_vec()
}

fn lines(file: &[u8]) -> Vec<Value> {
    serde_json::Deserializer::from_slice(file).into_iter().map(|row| row.expect("JSON")).collect()
}

fn records(file: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(Cursor::new(file));
    let mut records = reader.records().map(|record| record.expect("CSV").iter().map(str::to_owned).collect());
    (records.next().expect("a header"), records.collect())
}

/// All rows of a list, page by page.
async fn paged(user: &User<'_>, list: &str, fields: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let arguments = match list.strip_suffix(')') {
            Some(list) => format!("{list}, first: 200{after})"),
            None => format!("{list}(first: 200{after})"),
        };
        let query = format!("{{ page: {arguments} {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}");
        let mut page = user.data(&query).await["page"].take();
        rows.append(page["nodes"].as_array_mut().expect("rows"));
        if page["pageInfo"]["hasNextPage"] != true {
            return rows;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
}

#[tokio::test]
async fn a_file_has_all_rows_in_their_order_as_pages_have_them() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let fields = "id metricType metricDate region actualValue currency createdAt organization { name slug }";
    let expected = paged(&cfo, "financialMetrics", fields).await;
    assert!(expected.len() > 1_000, "more than are read at a time");
    // What cuts a page does not cut a file.
    let query = format!("{{ financialMetrics(first: 3) {{ totalCount nodes {{ {fields} }} }} }}");
    assert_eq!(lines(&file(&gateway, &cfo, &query, "JSON_LINES").await), expected);
    let (header, rows) = records(&file(&gateway, &cfo, &query, "CSV").await);
    assert_eq!(
        header.join(" "),
        "id metricType metricDate region actualValue currency createdAt organization.name organization.slug"
    );
    let cell = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let expected: Vec<Vec<String>> = expected
        .iter()
        .map(|row| {
            let mut cells: Vec<_> = header[..7].iter().map(|name| cell(&row[name])).collect();
            cells.extend(["name", "slug"].map(|name| cell(&row["organization"][name])));
            cells
        })
        .collect();
    assert_eq!(rows, expected);
}

/// Browsers take what is compressed, and nothing else tells them that a file is whole.
#[tokio::test]
async fn a_file_is_whole_compressed_and_plain() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for format in ["CSV", "JSON_LINES", "PARQUET"] {
        let asked =
            ask(&cfo, "{ financialMetrics { nodes { id metricType metricDate region actualValue } } }", format).await;
        let url = format!("{}{}", gateway.url, asked["url"].as_str().expect("an address"));
        let plain = gateway.http().get(&url).send().await.expect("an answer").bytes().await.expect("a file");
        let answer =
            gateway.http().get(&url).header("accept-encoding", "gzip, deflate, br").send().await.expect("an answer");
        let is_compressed = answer.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip");
        let compressed = answer.bytes().await.expect("all of it");
        let mut file = Vec::new();
        if is_compressed {
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut file).expect("gzip");
        } else {
            file = compressed.to_vec();
        }
        assert!(is_compressed || format == "PARQUET", "{format}");
        assert!(file == plain, "{format}");
    }
}

/// The judges are DuckDB and pyarrow, which share no code with what writes.
#[tokio::test]
async fn duckdb_and_pyarrow_read_the_same_from_parquet() {
    let gateway = Gateway::demo().await;
    // Over several groups of rows, with values that are not there, negative ones, and every digit that a column has.
    gateway
        .execute(&format!(
            "INSERT INTO financial_metrics (organization_id, metric_type, metric_date, region, lob, actual_value, forecast_value)
             SELECT o.id, 'CASH_FLOW', date '2026-01-01' + n % 28, 'R' || n, NULL, (n - 50000) * 12345678901.01,
                    CASE WHEN n % 3 = 0 THEN -0.01 * n END
               FROM organizations o, generate_series(1, 120000) n WHERE o.slug = '{HOME}'"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let query = "{ financialMetrics(filter: { metricType: { eq: CASH_FLOW } }) { nodes {
        id metricDate region actualValue forecastValue createdAt rowVersion organization { name } } } }";
    let asked = ask(&cfo, query, "PARQUET").await;
    let types: Vec<_> = asked["columns"].as_array().expect("columns").iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["String", "Date", "String", "Decimal", "Decimal", "DateTime", "Int", "String"]);
    assert!(asked["fileName"].as_str().is_some_and(|name| name.ends_with(".parquet")));
    let answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    let written = answer.bytes().await.expect("a file");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metrics.parquet");
    std::fs::write(&path, written).expect("a file");
    let mut judge = Command::new(python::installed());
    judge.arg(python::program("parquet.py")).arg(&path);
    let read: Value = serde_json::from_str(&python::run(judge)).expect("JSON");
    let expected = gateway
        .rows(&format!(
            "SELECT count(*)::text AS rows, sum(actual_value)::numeric(30,2)::text AS actual, sum(forecast_value)::numeric(30,2)::text AS forecast,
                    count(forecast_value)::text AS forecasts, min(metric_date)::text AS first, max(metric_date)::text AS last,
                    count(DISTINCT region)::text AS regions
               FROM financial_metrics WHERE metric_type = 'CASH_FLOW' AND organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}')"
        ))
        .await
        .remove(0);
    assert_eq!(read["duckdb"], expected);
    assert_eq!(read["pyarrow"], expected);
    let (text, decimal) = (json!("string"), json!("decimal128(38, 9)"));
    let moment = json!("timestamp[us, tz=UTC]");
    assert_eq!(read["types"], json!([text, "date32[day]", text, decimal, decimal, moment, "int32", text]));
    assert!(read["groups"].as_u64().is_some_and(|groups| groups > 1));
}

#[tokio::test]
async fn everybody_gets_what_they_see() {
    let gateway = Gateway::demo().await;
    for (email, organization) in [
        ("sarah.chen@aether-demo.com", HOME),
        ("europe.analyst@aether-demo.com", HOME),
        ("engineering.analyst@aether-demo.com", HOME),
        ("viewer@aether-demo.com", HOME),
        ("cfo@meridian-capital.example", "meridian-capital"),
        ("agent@northgate-bank.example", "northgate-bank"),
        ("investor@castlebrook-investors.example", "castlebrook-investors"),
        ("legal@harrow-and-lane.example", "harrow-and-lane"),
    ] {
        let user = gateway.sign_in(email, organization).await;
        for (list, fields) in [
            ("financialMetrics", "id region actualValue"),
            ("deals", "id name value region owner { name email role region }"),
            ("users", "id name role region mfaEnabled"),
            ("variables", "id label value baselineValue clause { title }"),
            ("driftItems", "id severity status title"),
            (
                "auditLogs(filter: { action: { notIn: [\"EXPORT_REQUEST\", \"EXPORT_BEGIN\", \"EXPORT_FINISH\"] } })",
                "id action actorName",
            ),
        ] {
            let query = format!("{{ {list} {{ nodes {{ {fields} }} }} }}");
            let rows = lines(&file(&gateway, &user, &query, "JSON_LINES").await);
            assert_eq!(rows, paged(&user, list, fields).await, "{list} of {email}");
        }
    }
}

#[tokio::test]
async fn groups_are_exported_and_never_mixed() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let query = "{ deals(filter: { currency: { eq: \"USD\" } }) {
        groups(by: [{ stage: {} }, { owner: { region: {} } }], first: 1) { nodes { key { stage owner { region } } count value { sum share } } } } }";
    let (header, rows) = records(&file(&gateway, &cfo, query, "CSV").await);
    assert_eq!(header.join(" "), "key.stage key.owner.region count value.sum value.share");
    let expected = gateway
        .rows(&format!(
            "SELECT upper(replace(d.stage::text, ' ', '_')) AS stage, coalesce(u.region, '') AS region, count(*)::text AS count, sum(d.value)::text AS sum
               FROM deals d LEFT JOIN users u ON u.id = d.owner_id JOIN organizations o ON o.id = d.organization_id
              WHERE o.slug = '{HOME}' AND d.currency = 'USD' GROUP BY d.stage, u.region"
        ))
        .await;
    let expected: BTreeSet<Vec<String>> = expected
        .iter()
        .map(|row| {
            ["stage", "region", "count", "sum"].map(|name| row[name].as_str().expect("text").to_owned()).to_vec()
        })
        .collect();
    assert_eq!(rows.iter().map(|row| row[..4].to_vec()).collect::<BTreeSet<_>>(), expected);
    gateway
        .execute(&format!(
            "UPDATE deals SET currency = 'JPY' WHERE id IN (SELECT d.id FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = '{HOME}' LIMIT 1)"
        ))
        .await;
    let mixed = "{ deals { groups(by: [{ region: {} }]) { nodes { key { region } value { sum } } } } }";
    let asked = ask(&cfo, mixed, "CSV").await;
    let answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    assert_eq!(answer.status(), 422);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["errors"][0]["extensions"]["code"], "MIXED_UNITS");
    let kept =
        cfo.run("query($id: UUID!) { rowExport(id: $id) { status failure } }", json!({ "id": asked["id"] })).await;
    let kept = kept.ok();
    assert_eq!(kept["rowExport"]["status"], "FAILED");
    assert_eq!(kept["rowExport"]["failure"], body["errors"][0]["message"]);
}

#[tokio::test]
async fn no_cell_is_a_formula_and_numbers_stay_numbers() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(&format!(
            "INSERT INTO financial_metrics (organization_id, metric_type, metric_date, region, product, actual_value)
             SELECT id, 'CASH_FLOW', '1999-01-01', v.region, v.product, -5
               FROM organizations, (VALUES ('=1+1', '@SUM(A1)'), ('+x', '-y'), ('a,\"b\"', E'two\nlines')) v(region, product) WHERE slug = '{HOME}'"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let query =
        "{ financialMetrics(filter: { metricDate: { eq: \"1999-01-01\" } }) { nodes { region product actualValue } } }";
    let (_, mut rows) = records(&file(&gateway, &cfo, query, "CSV").await);
    rows.sort();
    assert_eq!(rows, [["'+x", "'-y", "-5.00"], ["'=1+1", "'@SUM(A1)", "-5.00"], ["a,\"b\"", "two\nlines", "-5.00"]]);
    let names: BTreeSet<String> = lines(&file(&gateway, &cfo, query, "JSON_LINES").await)
        .iter()
        .map(|row| row["region"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, BTreeSet::from(["+x", "=1+1", "a,\"b\""].map(str::to_owned)), "JSON has nothing to defuse");
}

#[tokio::test]
async fn an_address_is_good_for_one_file_of_a_session_that_stands() {
    let gateway = Gateway::demo().await;
    let (cfo, analyst) = (gateway.cfo().await, gateway.sign_in("analyst@aether-demo.com", HOME).await);
    let query = "{ deals { nodes { id } } }";
    let (one, other) = (ask(&cfo, query, "CSV").await, ask(&analyst, query, "CSV").await);
    let url = |asked: &Value| asked["url"].as_str().expect("an address").to_owned();
    let (path, token) =
        (|url: &str| url.split('?').next().unwrap().to_owned(), |url: &str| url.split('=').nth(1).unwrap().to_owned());
    let crossed = format!("{}?token={}", path(&url(&one)), token(&url(&other)));
    let access = format!("{}?token={}", path(&url(&one)), cfo.token.as_deref().expect("a token"));
    for wrong in
        [crossed, access, path(&url(&one)), format!("{}x", url(&one)), format!("/exports/{}", uuid::Uuid::nil())]
    {
        let answer = get(&gateway, &wrong).await;
        assert_eq!(answer.status(), 401, "{wrong}");
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    assert_eq!(get(&gateway, "/exports/nonsense").await.status(), 404);
    // Who only wants to know of it begins no download.
    let head = gateway.http().head(format!("{}{}", gateway.url, url(&one))).send().await.expect("an answer");
    assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET".parse().expect("a header")));
    assert_eq!(
        gateway
            .value(&format!(
                "SELECT status::text FROM row_exports WHERE id = {}",
                one["id"].to_string().replace('"', "'")
            ))
            .await,
        "REQUESTED"
    );
    // Again, and by another gateway.
    let another = gateway.another(&[]).await;
    for gateway in [&gateway, &gateway, &another] {
        let file = get(gateway, &url(&one)).await.bytes().await.expect("a file");
        assert_eq!(records(&file).1.len(), 400);
    }
    // Others do not see that there is one.
    let mine = "{ rowExports { nodes { id requestedByUser { email } } } }";
    let seen = analyst.data(mine).await;
    assert_eq!(
        seen["rowExports"]["nodes"],
        json!([{ "id": other["id"], "requestedByUser": { "email": "analyst@aether-demo.com" } }])
    );
    // What is lost is lost for what was asked before, too.
    analyst.data("mutation { logout }").await;
    assert_eq!(get(&gateway, &url(&other)).await.status(), 401);
    gateway.execute("UPDATE row_exports SET expires_at = now() - interval '1 second'").await;
    assert_eq!(get(&gateway, &url(&one)).await.status(), 410);
}

#[tokio::test]
async fn the_audit_log_tells_who_took_what() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let query = "{ vendors { nodes { id name } } }";
    let asked = ask(&cfo, query, "JSON_LINES").await;
    let answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    let disposition = answer.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(disposition, format!("attachment; filename={}", asked["fileName"]));
    let file = answer.bytes().await.expect("a file");
    let id = asked["id"].as_str().expect("an id");
    let entries = gateway
        .rows(&format!(
            "SELECT action, actor_email, details FROM audit_logs WHERE resource_id = '{id}' ORDER BY timestamp, id"
        ))
        .await;
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().expect("a name")).collect();
    assert_eq!(actions, ["EXPORT_REQUEST", "EXPORT_BEGIN", "EXPORT_FINISH"]);
    assert!(entries.iter().all(|entry| entry["actor_email"] == "sarah.chen@aether-demo.com"));
    assert_eq!(entries[0]["details"]["after"]["query"], query);
    let hash = format!("{:x}", Sha256::digest(&file));
    assert_eq!(entries[2]["details"]["after"]["sha256"], hash.as_str());
    assert_eq!(entries[2]["details"]["after"]["bytesWritten"], file.len().to_string());
    let kept = cfo
        .run(
            "query($id: UUID!) { rowExport(id: $id) { status totalRows rowsWritten bytesWritten sha256 format query } }",
            json!({ "id": id }),
        )
        .await
        .ok();
    let rows = lines(&file).len().to_string();
    assert_eq!(
        kept["rowExport"],
        json!({ "status": "COMPLETED", "totalRows": rows, "rowsWritten": rows, "bytesWritten": file.len().to_string(),
                "sha256": hash, "format": "JSON_LINES", "query": query })
    );
}

#[tokio::test]
async fn what_has_no_rows_of_its_own_is_refused_before_anything_is_kept() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for (query, says) in [
        ("{ me { user { name } } }", "one list"),
        ("{ deal(id: \"019312d0-3c5a-7b6e-8f00-0242ac120002\") { name } }", "one list"),
        ("{ kpis { nodes { metricType } } }", ""),
        ("{ deals { totalCount } }", "one list"),
        ("{ deals { aggregate { count } } }", "one list"),
        ("{ deals { nodes { id } groups(by: [{ stage: {} }]) { nodes { count } } } }", "one list"),
        ("{ deals { nodes { id } } vendors { nodes { id } } }", "one list"),
        ("{ deals { nodes { name history { nodes { id } } } } }", "`history` is a list"),
        ("{ deals { groups(by: [{ stage: {} }]) { nodes { rows(first: 2) { id } } } } }", "`rows` is a list"),
        ("{ deals { nodes { nothing } } }", "has no field `nothing`"),
        ("{ deals { edges { a: node { name } b: node { value } } } }", "one list"),
        ("{ deals { a: nodes { name } b: nodes { value } } }", "one list"),
        ("{ clauses(search: \"interest\") { edges { rank node { title } } } }", "`rank` of an edge"),
        ("{ deals { nodes { name @skip(if: true) } } }", "a column at least"),
        ("mutation { logout }", "send a query"),
        ("subscription { dealChanged { id } }", ""),
        ("query($first: Int!) { deals(first: $first) { nodes { id } } }", "first"),
        ("{", ""),
        ("", ""),
    ] {
        let answer = cfo.run(EXPORT, json!({ "query": query, "format": "CSV" })).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{query}");
        assert!(answer.message().contains(says), "{query}: {}", answer.message());
    }
    let long = format!("{{ deals {{ nodes {{ id {} }} }} }}", " ".repeat(20_000));
    assert_eq!(cfo.run(EXPORT, json!({ "query": long, "format": "CSV" })).await.code(), "VALIDATION_FAILED");
    let array =
        cfo.run(EXPORT, json!({ "query": "{ deals { nodes { id } } }", "format": "CSV", "variables": [1] })).await;
    assert_eq!(array.code(), "VALIDATION_FAILED");
    assert_eq!(
        gateway.stranger().run(EXPORT, json!({ "query": "{ deals { nodes { id } } }", "format": "CSV" })).await.code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        gateway.value("SELECT count(*) FROM row_exports WHERE requested_at > now() - interval '1 hour'").await,
        0
    );
}

/// However large rows are, the gateway has a bounded part of them in memory, and says so where one alone is larger.
#[tokio::test(flavor = "multi_thread")]
async fn large_rows_are_read_one_by_one_and_too_large_ones_refused() {
    let gateway = Gateway::demo().await;
    gateway.execute("UPDATE clauses SET body = repeat('text of it ', 9000)").await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let bodies = |count: usize| (0..count).map(|n| format!("b{n}: clause {{ body }} ")).collect::<String>();
    let asked = ask(&agent, &format!("{{ variables {{ nodes {{ id {} }} }} }}", bodies(4)), "PARQUET").await;
    let answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    assert_eq!(answer.status(), 200);
    let file = answer.bytes().await.expect("all of it");
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
    let asked = ask(&agent, &format!("{{ variables {{ nodes {{ id {} }} }} }}", bodies(800)), "JSON_LINES").await;
    let answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    assert_eq!(answer.status(), 422);
    let body: Value = answer.json().await.expect("JSON");
    assert!(body["errors"][0]["message"].as_str().is_some_and(|message| message.contains("64 MiB")), "{body}");
}

#[tokio::test]
async fn downloads_count_as_requests() {
    let gateway = Gateway::with(&["--requests-per-minute-per-address", "5"]).await;
    let mut refused = 0;
    for _ in 0..20 {
        let answer = get(&gateway, "/exports/019312d0-3c5a-7b6e-8f00-0242ac120002?token=none").await;
        assert!([401, 429].contains(&answer.status().as_u16()));
        refused += usize::from(answer.status() == 429);
    }
    assert!(refused >= 10, "{refused}");
}

/// As many metrics as no buffer on the way holds.
async fn with_many() -> Gateway {
    let gateway = Gateway::demo().await;
    gateway
        .execute(&format!(
            "INSERT INTO financial_metrics (organization_id, metric_type, metric_date, region, actual_value)
             SELECT o.id, 'CASH_FLOW', '2026-01-01', 'R' || n || repeat('x', 40), n
               FROM organizations o, generate_series(1, 150000) n WHERE o.slug = '{HOME}'"
        ))
        .await;
    gateway
}

const MANY: &str =
    "{ financialMetrics(filter: { metricType: { eq: CASH_FLOW }, metricDate: { eq: \"2026-01-01\" } }) { nodes {
    id metricType metricDate region actualValue currency createdAt updatedAt organization { id name slug } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_shows_one_moment_whatever_changes_meanwhile() {
    let gateway = with_many().await;
    let cfo = gateway.cfo().await;
    let asked = ask(&cfo, MANY, "JSON_LINES").await;
    let mut answer = get(&gateway, asked["url"].as_str().expect("an address")).await;
    let mut file = answer.chunk().await.expect("a beginning").expect("a beginning").to_vec();
    gateway.execute("DELETE FROM financial_metrics WHERE metric_type = 'CASH_FLOW'").await;
    while let Some(piece) = answer.chunk().await.expect("all of it") {
        file.extend(piece);
    }
    let rows = lines(&file);
    assert!(rows.len() >= 150_000);
    let different: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().expect("an id")).collect();
    assert_eq!(different.len(), rows.len());
    assert!(rows.iter().all(|row| row["organization"]["slug"] == HOME), "relations are of the same moment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_left_or_whose_session_ends_stops_and_says_so() {
    let gateway = with_many().await;
    let cfo = gateway.cfo().await;
    let until = async |id: &Value, status: &str| {
        for _ in 0..100 {
            let sql = format!("SELECT status::text FROM row_exports WHERE id = '{}'", id.as_str().expect("an id"));
            if gateway.value(&sql).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it is not {status}");
    };
    let left = ask(&cfo, MANY, "JSON_LINES").await;
    let mut answer = get(&gateway, left["url"].as_str().expect("an address")).await;
    answer.chunk().await.expect("a beginning");
    // While it goes on, the same user's next one is told to come again, and everything else is answered.
    assert_eq!(cfo.data("{ deals { totalCount } }").await["deals"]["totalCount"], 400);
    let next = ask(&cfo, "{ deals { nodes { id } } }", "CSV").await;
    let refused = get(&gateway, next["url"].as_str().expect("an address")).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"10".parse().expect("a header")));
    let same = get(&gateway, left["url"].as_str().expect("an address")).await;
    assert_eq!(same.status(), 429);
    until(&next["id"], "REQUESTED").await;
    until(&left["id"], "RUNNING").await;
    let viewer = gateway.sign_in("viewer@aether-demo.com", HOME).await;
    assert_eq!(records(&file(&gateway, &viewer, "{ deals { nodes { id } } }", "CSV").await).1.len(), 400);
    drop(answer);
    until(&left["id"], "CANCELLED").await;
    let ended = ask(&cfo, MANY, "JSON_LINES").await;
    let mut answer = get(&gateway, ended["url"].as_str().expect("an address")).await;
    answer.chunk().await.expect("a beginning");
    gateway.execute("UPDATE user_sessions SET revoked_at = now()").await;
    // Longer than it takes to note how far it has come.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let rest = async {
        while answer.chunk().await?.is_some() {}
        Ok::<(), reqwest::Error>(())
    };
    assert!(rest.await.is_err(), "nobody takes it for whole");
    until(&ended["id"], "FAILED").await;
    // Both have given back what they had.
    let cfo = gateway.cfo().await;
    let again = ask(&cfo, "{ deals { nodes { id } } }", "CSV").await;
    assert_eq!(get(&gateway, again["url"].as_str().expect("an address")).await.status(), 200);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    for _ in 0..50 {
        if gateway.value(open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a snapshot was left open");
}
