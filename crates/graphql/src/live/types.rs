//! The GraphQL types of subscriptions, read off the feeds.

use aether_store::{
    live::feed::{FEEDS, Feed, Of, TOPICS},
    model::{Model, Type},
};
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, Registry};
use heck::AsShoutySnakeCase;

use crate::{
    meta::{add, enumeration, field, fields, input, object, owned},
    scalar,
    types::NODE,
};

/// The field that tells of everything.
pub(super) const EVENTS: &str = "events";
/// The type of its messages.
pub(super) const EVENT: &str = "Event";

const AFTER: &str = "Only what happened behind this cursor, from the `cursor` of an earlier message or from `eventCursor`: what you \
     have missed comes first. Without it, only what happens from now on.";

/// What can have happened.
const KINDS: [(&str, &str); 7] = [
    ("CREATED", "It is new."),
    ("UPDATED", "Some of its fields changed."),
    ("RESOLVED", "It was brought to an end: settled, resolved, dismissed, closed, completed, failed."),
    ("DELETED", "It is gone, and the object is null."),
    ("IMPORTED", "Many rows were imported at once."),
    ("REFRESHED", "It was worked out anew."),
    ("ENDED", "It has ended."),
];

/// Registers the root of subscriptions and the types of their messages.
pub(super) fn register(registry: &mut Registry) {
    let mut insert = |ty: MetaType| registry.types.insert(ty.name().to_owned(), ty);
    insert(enumeration("ChangeKind", "What happened to a thing.", KINDS.map(owned)));
    let topics = TOPICS.iter().map(|(name, doc)| (AsShoutySnakeCase(name).to_string(), (*doc).to_owned()));
    insert(enumeration("Topic", "What an event is about.", topics));
    let mut root = fields([]);
    for feed in FEEDS {
        insert(message(feed));
        add(&mut root, field(feed.field, feed.doc, format!("{}!", feed.message), arguments(feed)));
    }
    insert(event());
    let everything = [
        input("topics", "Only events under these topics; all of them unless said.", "[Topic!]"),
        input("after", AFTER, "String"),
    ];
    let doc = "Tells of all that happens in your organization and in your workspaces, as far as you may see it.";
    add(&mut root, field(EVENTS, doc, format!("{EVENT}!"), everything));
    let doc = "What can be subscribed to: each change that you may see is told once and in order. Over WebSocket at `/graphql` \
         (`graphql-transport-ws`), or as server-sent events at `/graphql/stream`.";
    let mut ty = object("Subscription", doc, root);
    if let MetaType::Object { is_subscription, .. } = &mut ty {
        *is_subscription = true;
    }
    insert(ty);
}

/// The types of the rows that a feed tells of.
pub(super) fn objects(feed: &Feed) -> impl Iterator<Item = &'static Type> {
    feed.tables.iter().filter_map(|table| Model::get().by_table(table))
}

fn message(feed: &Feed) -> MetaType {
    let mut all = fields(common());
    for ty in objects(feed) {
        let doc = match feed.tables {
            [_] => format!("The {}, as it is now; null when it is deleted.", ty.words()),
            _ => format!("The {}, if that is what was appended.", ty.words()),
        };
        add(&mut all, field(&ty.singular, &doc, ty.name.into(), []));
    }
    object(feed.message, &format!("A message of `{}`.", feed.field), all)
}

fn event() -> MetaType {
    let mut all = fields(common());
    for more in [
        field("topic", "What it is about.", "Topic!".into(), []),
        field("type", "The type of the row that it is about; null where it is about many.", "String".into(), []),
        field("id", "The id of the row; null where it is about many.", "UUID".into(), []),
        field("node", "The row, as it is now; null when it is deleted, and where it is about many.", NODE.into(), []),
    ] {
        add(&mut all, more);
    }
    object(EVENT, "A message of `events`.", all)
}

/// What all messages have.
fn common() -> [MetaField; 5] {
    let by = "Who made the change; null where no user did, and where you may not see the user.";
    [
        field("kind", "What happened.", "ChangeKind!".into(), []),
        field("changedFields", "The names of the fields that changed, of an update.", "[String!]!".into(), []),
        field("cursor", "Where the message stands: pass it as `after` to go on behind it.", "String!".into(), []),
        field("at", "When it happened.", "DateTime!".into(), []),
        field("actor", by, "User".into(), []),
    ]
}

fn arguments(feed: &'static Feed) -> Vec<MetaInputValue> {
    let mut all = match feed.of {
        Of::Workspace => vec![input("workspaceId", "The workspace.", "UUID!")],
        Of::Either => vec![input("workspaceId", "The workspace; your organization unless said.", "UUID")],
        Of::Organization => Vec::new(),
    };
    all.push(input("id", "Only changes of the row with this id.", "UUID"));
    for (filter, kind) in filters(feed) {
        let doc = "Only rows of these, or which were so until the change.";
        all.push(input(filter, doc, &format!("[{}!]", scalar::type_name(kind))));
    }
    all.push(input("after", AFTER, "String"));
    all
}

/// The filters of a feed, each with the kind of its column.
fn filters(feed: &'static Feed) -> impl Iterator<Item = (&'static str, aether_entity::catalog::Kind)> {
    let ty = objects(feed).next();
    feed.filters.iter().filter_map(move |filter| Some((filter.argument, ty?.table.column(filter.column)?.1.kind)))
}
