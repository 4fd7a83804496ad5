//! Use cases without GraphQL: what people do is done by the application layer, and whoever forgets to ask is not committed.

use std::{sync::Arc, time::Duration};

use aether_application::finance::budget_approval;
use aether_entity::vendors;
use aether_server::config::Cli;
use aether_store::{
    Connect, Database, Error, Store,
    identity::Client,
    write::{Executor, UseCase, action},
};
use clap::Parser;
use sea_orm::Set;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Gateway;

/// Who carries out use cases as whoever has just signed in.
async fn executor(gateway: &Gateway) -> Executor {
    let session = gateway.value("SELECT id FROM user_sessions ORDER BY created_at DESC LIMIT 1").await;
    let session = session.as_str().and_then(|id| id.parse().ok()).expect("a session");
    let connect =
        Connect { url: gateway.database_url(), max_connections: 4, statement_timeout: Duration::from_secs(30) };
    let Ok(database) = Database::connect(&connect).await else { panic!("no connection") };
    let store = Store::new(database);
    let Ok(encryption) = Cli::parse_from(["aether-nexus"]).config.encryption() else { panic!("no keys") };
    let client = Client { address: None, user_agent: None, device: None, request_id: Uuid::now_v7() };
    Executor::new(store.clone(), Arc::new(store.reader(Ok(Some(session)))), client, encryption)
}

fn id(value: &Value) -> Uuid {
    value.as_str().and_then(|id| id.parse().ok()).expect("an id")
}

#[tokio::test]
async fn a_budget_is_submitted_and_approved_by_two_people_without_graphql() {
    let gateway = Gateway::demo().await;
    let draft = gateway
        .rows(
            "SELECT b.id, b.row_version FROM budgets b JOIN organizations o ON o.id = b.organization_id
              WHERE o.slug = 'aether-demo' AND b.status = 'draft' AND b.department_id IS NULL AND b.region IS NULL ORDER BY b.id LIMIT 1",
        )
        .await;
    let (budget, version) = (id(&draft[0]["id"]), draft[0]["row_version"].as_i64().expect("a version"));
    let version = i32::try_from(version).expect("a version");
    let _manager = gateway.sign_in("finance.manager@aether-demo.com", "aether-demo").await;
    let manager = executor(&gateway).await;
    let submitted = manager.run(budget_approval::submit(budget, version)).await;
    assert!(submitted.is_ok(), "{submitted:?}");
    let Err(Error::Forbidden { .. }) = manager.run(budget_approval::approve(budget, version + 1)).await else {
        panic!("whoever submitted it approves it")
    };
    let _cfo = gateway.cfo().await;
    assert!(executor(&gateway).await.run(budget_approval::approve(budget, version + 1)).await.is_ok());
    let told = format!(
        "SELECT action FROM audit_logs WHERE resource_id = '{budget}' AND action LIKE 'BUDGET%' ORDER BY \"timestamp\" DESC LIMIT 2"
    );
    let told = gateway.rows(&told).await;
    assert_eq!([&told[0]["action"], &told[1]["action"]], [&json!("BUDGET_APPROVE"), &json!("BUDGET_SUBMIT")]);
}

#[tokio::test]
async fn an_action_of_a_workspace_that_enters_none_is_not_committed() {
    let gateway = Gateway::demo().await;
    let _cfo = gateway.cfo().await;
    let executor = executor(&gateway).await;
    let forgetful = |action, name: &'static str| {
        UseCase::new(action, move |c| {
            Box::pin(async move {
                c.insert(vendors::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    name: Set(name.into()),
                    category: Set("Tests".into()),
                    ..Default::default()
                })
                .await?;
                Ok(())
            })
        })
    };
    let made = async |name: &str| gateway.value(&format!("SELECT count(*) FROM vendors WHERE name = '{name}'")).await;
    let Err(Error::Internal(_)) = executor.run(forgetful(&action::ADD_CLAUSE, "Nobody asked")).await else {
        panic!("it is not refused")
    };
    assert_eq!(made("Nobody asked").await, 0);
    assert!(executor.run(forgetful(&action::EDIT_VENDOR, "Asked")).await.is_ok());
    assert_eq!(made("Asked").await, 1);
}
