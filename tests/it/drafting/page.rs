//! The page `docs/drafting.md`: every operation on it runs as it stands.

use serde_json::{Map, Value, json};

use super::{AGENT, COUNSEL, sign_in};
use crate::support::Gateway;

const PAGE: &str = include_str!("../../../docs/drafting.md");

/// What the page calls a row that this field returns.
fn name(field: &str) -> Option<&'static str> {
    Some(match field {
        "createWorkspace" | "updateGovernanceRules" => "workspace",
        "inviteMember" | "acceptInvitation" | "changeMemberRole" => "member",
        "addClause" | "editClause" | "lockClause" | "unlockClause" | "moveClause" => "clause",
        "addCovenant" | "editCovenant" => "covenant",
        _ => return None,
    })
}

#[tokio::test]
async fn the_page_runs_as_it_stands() {
    let gateway = Gateway::demo().await;
    let (agent, counsel) = (sign_in(&gateway, AGENT).await, sign_in(&gateway, COUNSEL).await);
    let mut variables = Map::new();
    let mut last = Value::Null;
    let mut run = 0;
    for block in PAGE.split("```graphql ").skip(1) {
        let (who, rest) = block.split_once('\n').expect("who runs it");
        let (operation, _) = rest.split_once("```").expect("an end");
        let user = match who {
            "agent" => &agent,
            "counsel" => &counsel,
            other => panic!("nobody is called {other}"),
        };
        last = user.run(operation, Value::Object(variables.clone())).await.ok();
        for (field, row) in last.as_object().expect("data") {
            if let (Some(name), Some(id)) = (name(field), row.get("id")) {
                variables.insert(name.to_owned(), id.clone());
                variables.insert(format!("{name}Version"), row["rowVersion"].clone());
            }
        }
        if operation.contains("invitations") {
            assert!(last.to_string().contains(variables["workspace"].as_str().expect("an id")), "{last}");
        }
        run += 1;
    }
    assert_eq!(run, PAGE.matches("```graphql").count());
    let events = last["workspace"]["auditEvents"]["nodes"].as_array().expect("events");
    assert!(events.iter().any(|event| event["reasonCategory"] == json!("BORROWER_REQUEST")), "{events:?}");
}
