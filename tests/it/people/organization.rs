//! The organization's name, logo and settings.

use serde_json::{Value, json};

use super::{field, trail};
use crate::support::{Answer, Gateway, User};

const SETTINGS: &str = "mutation($v: Int!, $input: OrganizationSettingsPatch!) {
    editOrganizationSettings(expectedVersion: $v, input: $input) {
        rowVersion settings { fiscalYearStart currency timezone features { aiAgent scenarios governance } integrations }
    }
}";

async fn version(gateway: &Gateway) -> Value {
    gateway.value("SELECT row_version FROM organizations WHERE slug = 'aether-demo'").await
}

async fn edit(gateway: &Gateway, by: &User<'_>, query: &str, input: Value) -> Answer {
    by.run(query, json!({ "v": version(gateway).await, "input": input })).await
}

#[tokio::test]
async fn settings_are_edited_one_by_one_and_must_make_sense() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let before = cfo.data("{ organizations(filter: { slug: { eq: \"aether-demo\" } }) { nodes { settings { integrations features { scenarios } } } } }").await;
    let before = &before["organizations"]["nodes"][0]["settings"];
    let input = json!({ "fiscalYearStart": "April", "currency": "NOK", "timezone": "Europe/Oslo", "features": { "aiAgent": false } });
    let edited = edit(&gateway, &cfo, SETTINGS, input).await.ok();
    let settings = &edited["editOrganizationSettings"]["settings"];
    assert_eq!(
        (&settings["fiscalYearStart"], &settings["currency"], &settings["timezone"]),
        (&json!("April"), &json!("NOK"), &json!("Europe/Oslo"))
    );
    assert_eq!(settings["features"]["aiAgent"], false);
    assert_eq!(settings["features"]["scenarios"], before["features"]["scenarios"]);
    assert_eq!(settings["integrations"], before["integrations"], "what is not named stays");
    for (input, path) in [
        (json!({ "fiscalYearStart": "Germinal" }), "input.fiscalYearStart"),
        (json!({ "currency": "crowns" }), "input.currency"),
        (json!({ "currency": "QQQ" }), "input.currency"),
        (json!({ "timezone": "Europe/Atlantis" }), "input.timezone"),
        (json!({ "timezone": "posix/UTC" }), "input.timezone"),
        (json!({ "timezone": "'; DROP TABLE users; --" }), "input.timezone"),
    ] {
        let answer = edit(&gateway, &cfo, SETTINGS, input.clone()).await;
        assert_eq!(field(&answer), ("VALIDATION_FAILED", path), "{input}");
    }
    let unknown = edit(&gateway, &cfo, SETTINGS, json!({ "colour": "red" })).await;
    assert_eq!(unknown.code(), "GRAPHQL_VALIDATION_FAILED");
    let stale = cfo.run(SETTINGS, json!({ "v": 0, "input": {} })).await;
    assert_eq!(stale.code(), "CONFLICT");
    let rows = trail(&gateway, &["ORGANIZATION_SETTINGS_EDIT"]).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["details"]["after"]["settings"]["timezone"], "Europe/Oslo");
}

#[tokio::test]
async fn the_name_and_the_logo_are_edited() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let query = "mutation($v: Int!, $input: OrganizationPatch!) {
        editOrganization(expectedVersion: $v, input: $input) { name slug logoUrl }
    }";
    let input = json!({ "name": "Aether plc", "logoUrl": "https://example.com/logo.svg" });
    let edited = edit(&gateway, &cfo, query, input).await.ok();
    let expected = json!({ "name": "Aether plc", "slug": "aether-demo", "logoUrl": "https://example.com/logo.svg" });
    assert_eq!(edited["editOrganization"], expected);
    let removed = edit(&gateway, &cfo, query, json!({ "logoUrl": null })).await.ok();
    assert_eq!(removed["editOrganization"]["logoUrl"], Value::Null);
    let answer = edit(&gateway, &cfo, query, json!({ "logoUrl": "http://example.com/logo.svg" })).await;
    assert_eq!(field(&answer), ("VALIDATION_FAILED", "input.logoUrl"));
    // Nothing is written, and nothing told, where nothing changes.
    let before = version(&gateway).await;
    edit(&gateway, &cfo, query, json!({ "name": "Aether plc" })).await.ok();
    assert_eq!(version(&gateway).await, before);
    assert_eq!(trail(&gateway, &["ORGANIZATION_EDIT"]).await.len(), 2);
}
