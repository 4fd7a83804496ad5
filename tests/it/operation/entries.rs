//! What nobody may enter, whichever mutation or import brings it: characters that nobody sees, days of another age; and what
//! only looks like a value.

use serde_json::{Value, json};

use crate::{
    loan::terms::SharedWorkspace,
    support::{Gateway, User},
};

/// What is in no name: of each kind one, and what separates lines.
const UNSEEN: [&str; 9] =
    ["\u{1}", "\u{7}", "\u{1b}[2J", "\u{7f}", "\u{85}", "\u{9f}", "\u{202e}", "\u{2066}", "\u{2069}"];

/// Who changes a text: an operation, its input, and the fields that are one line and those that may be many.
struct Entry<'u> {
    user: &'u User<'u>,
    operation: &'static str,
    input: Value,
    lines: &'static [&'static str],
    texts: &'static [&'static str],
}

impl Entry<'_> {
    /// The error's code and field when this field of the input has this value.
    async fn refused(&self, field: &str, value: &str) -> (String, Value) {
        let mut input = self.input.clone();
        input[field] = json!(value);
        let answer = self.user.run(self.operation, json!({ "input": input })).await;
        let what = format!("{}: {field} = {value:?}: {:#}", self.operation, answer.body);
        assert!(answer.body.get("errors").is_some(), "{what}");
        assert!(answer.message().ends_with('.') && !answer.message().contains(value), "{what}");
        (answer.code().to_owned(), answer.body["errors"][0]["extensions"]["field"].clone())
    }
}

#[tokio::test]
async fn texts_have_no_character_that_nobody_sees() {
    let gateway = Gateway::demo().await;
    let (cfo, workspace) = (gateway.cfo().await, SharedWorkspace::of(&gateway).await);
    let clause = workspace.clause("financial", false, "The margin.").await;
    let entries = [
        Entry {
            user: &cfo,
            operation: "mutation($input: VendorInput!) { createVendor(input: $input) { id } }",
            input: json!({ "name": "Orbital", "category": "Cloud" }),
            lines: &["name", "category", "paymentTerms", "primaryContactName"],
            texts: &["description", "riskNotes"],
        },
        Entry {
            user: &cfo,
            operation: "mutation($input: DealInput!) { createDeal(input: $input) { id } }",
            input: json!({ "name": "Rollout", "region": "EUROPE", "segment": "SMB", "lob": "SOFTWARE", "value": "1", "probability": "1" }),
            lines: &["name", "accountName", "vertical", "channel"],
            texts: &[],
        },
        Entry {
            user: &cfo,
            operation: "mutation($input: BudgetInput!) { createBudget(input: $input) { id } }",
            input: json!({ "name": "Plan", "fiscalYear": 2031, "version": "v1" }),
            lines: &["name", "version"],
            texts: &[],
        },
        Entry {
            user: &cfo,
            operation: "mutation($input: DepartmentInput!) { createDepartment(input: $input) { id } }",
            input: json!({ "name": "Moon Office" }),
            lines: &["name", "code"],
            texts: &[],
        },
        Entry {
            user: &cfo,
            operation: "mutation($input: ControlInput!) { createControl(input: $input) { id } }",
            input: json!({ "controlId": "X-1", "framework": "SOX", "category": "Access", "name": "Review", "frequency": "MONTHLY" }),
            lines: &["controlId", "framework", "category", "name"],
            texts: &["description", "testProcedure"],
        },
        Entry {
            user: &cfo,
            operation: "mutation($input: InviteUserInput!) { inviteUser(input: $input) { expiresAt } }",
            input: json!({ "name": "Ada", "email": "ada@aether-demo.com", "role": "VIEWER" }),
            lines: &["name"],
            texts: &[],
        },
        Entry {
            user: &workspace.agent,
            operation: "mutation($input: WorkspaceInput!) { createWorkspace(input: $input) { id } }",
            input: json!({ "name": "Project Alder" }),
            lines: &["name", "standard", "basePdfName"],
            texts: &[],
        },
        Entry {
            user: &workspace.agent,
            operation: "mutation($input: ClauseInput!) { addClause(workspaceId: \"W\", input: $input) { id } }",
            input: json!({ "title": "9.9 Term", "body": "As agreed.", "type": "FINANCIAL" }),
            lines: &["title"],
            texts: &["body"],
        },
        Entry {
            user: &workspace.legal,
            operation: "mutation($input: VariableInput!) { bindVariable(clauseId: \"C\", input: $input) { id } }",
            input: json!({ "label": "Margin", "type": "FINANCIAL", "value": "1%" }),
            lines: &["label", "unit"],
            texts: &["value", "baselineValue"],
        },
        Entry {
            user: &workspace.agent,
            operation: "mutation($input: CovenantInput!) { addCovenant(clauseId: \"C\", input: $input) { id } }",
            input: json!({ "name": "Leverage", "testFrequency": "Quarterly", "threshold": "4.00:1", "calculationBasis": "Debt" }),
            lines: &["name", "testFrequency", "threshold"],
            texts: &["calculationBasis"],
        },
    ];
    for mut entry in entries {
        let operation = entry
            .operation
            .replace("\"W\"", &format!("\"{}\"", workspace.id))
            .replace("\"C\"", &format!("\"{clause}\""));
        entry.operation = operation.leak();
        let invalid = |field: &str| ("VALIDATION_FAILED".to_owned(), json!(format!("input.{field}")));
        for field in entry.lines {
            for unseen in UNSEEN.iter().chain(&["\n", "\t", "\r\n"]) {
                assert_eq!(entry.refused(field, &format!("a{unseen}b")).await, invalid(field), "{unseen:?}");
            }
        }
        for field in entry.texts {
            for unseen in UNSEEN.iter().chain(&["\r"]) {
                assert_eq!(entry.refused(field, &format!("a{unseen}b")).await, invalid(field), "{unseen:?}");
            }
            let mut input = entry.input.clone();
            input[field] = json!("one\ttwo\nthree\r\nfour");
            // Some of them have to be unique: those that take it in the end.
            entry.input = input;
        }
        entry.user.run(entry.operation, json!({ "input": entry.input })).await.ok();
    }

    // Reasons end in the audit trail, through whatever mutation they come.
    let variable = workspace.bind(&clause, "Fee", "FINANCIAL", "1%").await;
    let edit = "mutation($id: UUID!, $reason: String!) { editVariable(id: $id, expectedVersion: 1, input: { value: \"2%\" }, reason: $reason) { value } }";
    for unseen in UNSEEN {
        let answer = workspace.legal.run(edit, json!({ "id": variable, "reason": format!("a{unseen}b") })).await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!("reason"))
        );
    }
    workspace.legal.run(edit, json!({ "id": variable, "reason": "For two reasons:\n\t1. this" })).await.ok();
}

#[tokio::test]
async fn dates_are_of_this_age_and_written_in_full() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let create = "mutation($input: VendorInput!) { createVendor(input: $input) { id contractStartDate } }";
    let input = |date: &str| json!({ "input": { "name": format!("V {date}"), "category": "Cloud", "contractStartDate": date } });
    for date in ["1899-12-31", "2201-01-01", "9999-12-31", "0001-01-01"] {
        let answer = cfo.run(create, input(date)).await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!("contractStartDate"))
        );
        assert!(answer.message().contains("1900 to 2200"), "{}", answer.message());
    }
    for date in ["1900-01-01", "2200-12-31"] {
        assert_eq!(cfo.run(create, input(date)).await.ok()["createVendor"]["contractStartDate"], date);
    }
    for date in ["2024 - 02 - 03", "+2024-02-03", "2024-2-3", "2024-02-30", "03.02.2024", "2024-02-03T00:00:00Z"] {
        let answer = cfo.run(create, input(date)).await;
        assert!(answer.body.get("errors").is_some(), "{date}");
    }
    for year in [1899, 2201] {
        let budget =
            "mutation($year: Int!) { createBudget(input: { name: \"B\", fiscalYear: $year, version: \"v\" }) { id } }";
        assert_eq!(cfo.run(budget, json!({ "year": year })).await.code(), "VALIDATION_FAILED");
    }
    // What is asked about may be of any age.
    let long_ago = cfo.data("{ deals(filter: { expectedCloseDate: { lt: \"1776-07-04\" } }) { totalCount } }").await;
    assert_eq!(long_ago["deals"]["totalCount"], 0);
}

#[tokio::test]
async fn imports_take_no_such_cells() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let problems = async |operation: &str, csv: String| -> Value {
        let answer = cfo.run(operation, json!({ "csv": csv })).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{csv}: {:#}", answer.body);
        let lines = answer.body["errors"][0]["extensions"]["lines"].as_array().expect("lines").clone();
        lines.iter().map(|line| json!([line["line"], line["field"]])).collect()
    };
    let deals = "mutation($csv: String!) { importDeals(csv: $csv, externalSystem: \"crm\") { inserted } }";
    let metrics = "mutation($csv: String!) { importMetrics(csv: $csv) { inserted } }";
    for unseen in UNSEEN.iter().chain(&["\t"]) {
        let csv = format!(
            "external_deal_id,name,region,segment,lob,stage,value,probability\nE-1,a{unseen}b,Europe,SMB,Software,Discovery,1,1\n"
        );
        assert_eq!(problems(deals, csv).await, json!([[2, "name"]]), "{unseen:?}");
        let csv = format!("date,metric_type,product,actual\n2026-01-01,REVENUE,a{unseen}b,1\n");
        assert_eq!(problems(metrics, csv).await, json!([[2, "product"]]), "{unseen:?}");
    }
    for date in ["1899-12-31", "2201-01-01", "2026 - 01 - 01", "+2026-01-1"] {
        let csv = format!(
            "external_deal_id,name,region,segment,lob,stage,value,probability,expected_close_date\nE-1,a,Europe,SMB,Software,Discovery,1,1,{date}\n"
        );
        assert_eq!(problems(deals, csv).await, json!([[2, "expected_close_date"]]), "{date}");
        assert_eq!(
            problems(metrics, format!("date,metric_type,actual\n{date},REVENUE,1\n")).await,
            json!([[2, "date"]]),
            "{date}"
        );
    }
}

#[tokio::test]
async fn what_only_looks_like_a_value_is_refused_and_json_may_spell_nul() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let by = |ty: &str, filter: &str| format!("query($v: {ty}!) {{ deals(filter: {{ {filter} }}) {{ totalCount }} }}");
    let id = cfo.data("{ deals(first: 1) { nodes { id } } }").await["deals"]["nodes"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (upper, bare, braced) = (id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"));
    for (ty, filter, right, wrong) in [
        (
            "UUID",
            "id: { eq: $v }",
            vec![json!(id), json!(upper)],
            vec![json!(bare), json!(braced), json!(format!("urn:uuid:{id}")), json!(1)],
        ),
        (
            "Date",
            "expectedCloseDate: { gt: $v }",
            vec![json!("2024-02-03")],
            vec![json!("2024 - 02 - 03"), json!("+2024-02-03"), json!(20240203)],
        ),
        (
            "DateTime",
            "createdAt: { gt: $v }",
            vec![json!("2024-02-03T04:05:06+01:00")],
            vec![json!("2024-02-03 04:05:06Z"), json!("2024-02-03T04:05:06"), json!("2024-02-03")],
        ),
        (
            "Decimal",
            "value: { gt: $v }",
            vec![json!("1000"), json!("-1.5e3"), json!(12.5)],
            vec![json!("1_000"), json!("1,000"), json!("+1"), json!(".5"), json!("")],
        ),
    ] {
        for value in right {
            cfo.run(&by(ty, filter), json!({ "v": value })).await.ok();
        }
        for value in wrong {
            let answer = cfo.run(&by(ty, filter), json!({ "v": value })).await;
            assert!(answer.body.get("errors").is_some(), "{ty}: {value}");
        }
    }
    // As an argument of a mutation, whose Rust type is not ours.
    let edit = "mutation($id: UUID!) { editDeal(id: $id, expectedVersion: 1000, input: {}) { id } }";
    assert_eq!(cfo.run(edit, json!({ "id": upper })).await.code(), "CONFLICT");
    for id in [bare, braced] {
        assert_ne!(cfo.run(edit, json!({ "id": id })).await.code(), "CONFLICT", "{id}");
    }

    let find = "query($v: JSON!) { users(filter: { preferences: { contains: $v } }) { totalCount } }";
    gateway
        .execute("UPDATE users SET preferences = '{\"note\": \"a\\\\u0000b\"}' WHERE email = 'analyst@aether-demo.com'")
        .await;
    let admin = gateway.sign_in("admin@aether-demo.com", "aether-demo").await;
    let spelled = admin.run(find, json!({ "v": { "note": "a\\u0000b" } })).await.ok();
    assert_eq!(spelled["users"]["totalCount"], 1, "six characters that spell NUL are none");
    for nul in [json!({ "note": "a\0b" }), json!({ "a\0": 1 }), json!([["\0"]])] {
        assert!(admin.run(find, json!({ "v": nul })).await.body.get("errors").is_some(), "{nul}");
    }
}
