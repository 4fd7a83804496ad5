//! The page `docs/drafting.md`: every operation on it runs as it stands, and does what the page says.

use serde_json::json;

use crate::{
    docs_pages::{page, run},
    support::Gateway,
};

#[tokio::test]
async fn the_page_runs_as_it_stands() {
    let gateway = Gateway::demo().await;
    let page = page("drafting.md");
    let answers = run(&gateway, &page).await.unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(answers.len(), page.text.matches("```graphql").count());
    let workspace = &answers[0]["createWorkspace"]["id"];
    let invited = answers.iter().find_map(|answer| answer["me"]["invitations"].as_array()).expect("invitations");
    assert!(invited.iter().any(|invitation| invitation["workspaceId"] == *workspace), "{invited:?}");
    let last = answers.last().expect("answers");
    let events = last["workspace"]["auditEvents"]["nodes"].as_array().expect("events");
    assert!(events.iter().any(|event| event["reasonCategory"] == json!("BORROWER_REQUEST")), "{events:?}");
}
