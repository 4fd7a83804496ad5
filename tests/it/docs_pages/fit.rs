//! Every operation on every page fits the schema: sent by a stranger, it is refused for the token only.

use async_graphql::parser::{
    parse_query,
    types::{BaseType, Type},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{declared, pages};
use crate::support::{Gateway, Sdl};

#[tokio::test]
async fn operations_of_every_page_fit_the_schema() {
    let gateway = Gateway::demo().await;
    let deal = gateway.cfo().await.data("{ deals(first: 1) { nodes { nodeId } } }").await;
    let dummies = Dummies { sdl: Sdl::of(&gateway).await, node: deal["deals"]["nodes"][0]["nodeId"].clone() };
    let stranger = gateway.stranger();
    let (mut fitting, mut problems) = (0, Vec::new());
    for page in pages() {
        for block in page.blocks() {
            // What is shown for not fitting must not fit.
            let amiss = block.code.as_deref().filter(|code| code.starts_with("GRAPHQL_"));
            for operation in &block.operations {
                let variables: Map<_, _> =
                    declared(operation).into_iter().map(|(name, ty)| (name, dummies.of(&ty))).collect();
                let variables = Value::Object(variables);
                let answer = match operation.starts_with("subscription") {
                    true => stranger.refused(operation, variables).await,
                    false => stranger.run(operation, variables).await,
                };
                let code = answer.body.get("errors").map(|_| answer.code());
                let fits = match amiss {
                    Some(amiss) => code == Some(amiss),
                    // Some of it is for everybody.
                    None => code.is_none_or(|code| code == "UNAUTHENTICATED" || Some(code) == block.code.as_deref()),
                };
                if !fits {
                    problems.push(format!("{}: {operation}{:#}", block.place, answer.body["errors"]));
                }
                fitting += usize::from(amiss.is_none());
            }
        }
    }
    assert!(fitting > 0, "the pages show no operation");
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// A reader pastes a block and runs it: it is one operation, and a document of one.
#[test]
fn every_block_is_one_operation() {
    for block in pages().iter().flat_map(super::Page::blocks) {
        assert_eq!(block.operations.len(), 1, "{}: a fence for each operation", block.place);
        // What is shown for being no GraphQL is none.
        if block.code.as_deref() != Some("GRAPHQL_PARSE_FAILED") {
            let document = parse_query(&block.operations[0]).unwrap_or_else(|error| panic!("{}: {error}", block.place));
            assert_eq!(document.operations.iter().count(), 1, "{}", block.place);
        }
    }
}

/// Values for variables, of any type of the schema.
struct Dummies {
    sdl: Sdl,
    /// The global id of a row.
    node: Value,
}

impl Dummies {
    fn of(&self, ty: &Type) -> Value {
        match &ty.base {
            BaseType::List(of) => json!([self.of(of)]),
            BaseType::Named(name) => self.named(name),
        }
    }

    fn named(&self, name: &str) -> Value {
        match (self.sdl.kind(name), name) {
            ("ENUM", _) => json!(self.sdl.values(name)[0].0),
            ("INPUT_OBJECT", _) => {
                let required = self.sdl.fields(name).into_iter().filter(|field| field.required);
                let fields = required.map(|field| {
                    let value = self.named(field.ty);
                    (field.name.to_owned(), if field.list { json!([value]) } else { value })
                });
                fields.collect()
            }
            (_, "ID") => self.node.clone(),
            (_, "UUID") => json!(Uuid::nil()),
            (_, "Int") => json!(1),
            (_, "Float") => json!(0.5),
            (_, "Boolean") => json!(false),
            (_, "String") => json!("text"),
            (_, "Decimal" | "BigInt") => json!("1"),
            (_, "Date") => json!("2026-01-31"),
            (_, "DateTime") => json!("2026-01-31T12:00:00Z"),
            (_, "JSON") => json!({}),
            (kind, _) => panic!("what is a value of the {kind} {name}?"),
        }
    }
}
