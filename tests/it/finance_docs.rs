//! The operations of the finance pages fit the schema: sent by a stranger they are refused for the token only.

use serde_json::json;
use uuid::Uuid;

use crate::support::Gateway;

const PAGES: [(&str, &str); 3] = [
    ("metrics-and-budgets", include_str!("../../docs/metrics-and-budgets.md")),
    ("vendors-and-departments", include_str!("../../docs/vendors-and-departments.md")),
    ("anomalies", include_str!("../../docs/anomalies.md")),
];

/// The operations of a page, each of which begins a line.
fn operations(page: &str) -> Vec<String> {
    let mut operations: Vec<String> = Vec::new();
    for block in page.split("```graphql\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            match line.starts_with("mutation") || line.starts_with("query") {
                true => operations.push(line.to_owned()),
                false => {
                    let last = operations.last_mut().expect("a block begins with an operation");
                    last.push('\n');
                    last.push_str(line);
                }
            }
        }
    }
    operations
}

#[tokio::test]
async fn operations_of_the_pages_fit_the_schema() {
    let gateway = Gateway::demo().await;
    let stranger = gateway.stranger();
    let some = Uuid::nil();
    let variables = json!({ "id": some, "line": some, "user": some, "to": some, "ids": [some], "csv": "" });
    for (name, page) in PAGES {
        let operations = operations(page);
        assert!(operations.len() >= 5, "{name}");
        for operation in operations {
            let answer = stranger.run(&operation, variables.clone()).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{name}: {operation}\n{:#}", answer.body);
        }
    }
}
