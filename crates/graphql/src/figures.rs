//! Figures of many rows, as types of GraphQL: what may be asked of a kind of column, by what rows are grouped, what groups must
//! satisfy and how they are ordered. Read off the model; what can be told of a kind of column is one type for all.

use aether_store::{
    model::{ColumnField, Figure, Model, Relation, Type},
    read::{Bucket, Function, PriorPeriod},
};
use async_graphql::registry::{MetaField, MetaType};

use crate::{
    meta::{add, enumeration, field, fields, input, input_object, object, owned, with_default},
    scalar,
};

/// Something that is told of a column's values over many rows.
pub(crate) struct Told {
    pub(crate) name: &'static str,
    doc: &'static str,
    ty: &'static str,
    pub(crate) how: How,
    /// Whether groups can be ordered by it, and must satisfy conditions on it.
    compared: bool,
}

/// How it is worked out.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Function(Function),
    /// As a [`Function::Percentile`], which is asked for.
    Percentile,
    /// The share of its sum in the sum over all groups.
    Share,
    /// Its sum with those of the groups before.
    Running,
}

const fn told(name: &'static str, doc: &'static str, ty: &'static str, function: Function) -> Told {
    Told { name, doc, ty, how: How::Function(function), compared: true }
}

const COUNT: Told = told("count", "How many values there are, null not counted.", "Int!", Function::Count);
const DISTINCT: Told = told("countDistinct", "How many different values there are.", "Int!", Function::CountDistinct);
const STDDEV: Told = Told {
    name: "stddev",
    doc: "The standard deviation of a sample; null with less than two values. To six places.",
    ty: "Decimal",
    how: How::Function(Function::Stddev),
    compared: true,
};
const VARIANCE: Told = Told {
    name: "variance",
    doc: "The variance of a sample; null with less than two values. To six places.",
    ty: "Decimal",
    how: How::Function(Function::Variance),
    compared: false,
};
const MEDIAN: Told = told(
    "median",
    "The middle value; with an even number of values the mean of the middle two.",
    "Decimal",
    Function::Median,
);
const PERCENTILE: Told = Told {
    name: "percentile",
    doc: "The least value that a share of the values, `at`, does not exceed (nearest rank): one of the values.",
    ty: "Decimal",
    how: How::Percentile,
    compared: false,
};

/// What is told of numbers that add up.
const QUANTITY: &[Told] = &[
    COUNT,
    DISTINCT,
    told(
        "sum",
        "The sum; null without values, and where they do not add up: ratios, and stocks of several days.",
        "Decimal",
        Function::Sum,
    ),
    told(
        "avg",
        "The mean of the values, each with the same weight; null without values, and of ratios. To six places.",
        "Decimal",
        Function::Avg,
    ),
    told("min", "The least value.", "Decimal", Function::Min),
    told("max", "The greatest value.", "Decimal", Function::Max),
    STDDEV,
    VARIANCE,
    MEDIAN,
    PERCENTILE,
    Told {
        name: "share",
        doc: "The share of the sum in the sum of all groups of the same depth, from 0 to 1, those included that `having` leaves out; within the \
              currency and the kind, if they are keys. To six places.",
        ty: "Decimal",
        how: How::Share,
        compared: true,
    },
    Told {
        name: "running",
        doc: "The sum with those of all groups before: along the time, within the groups that agree in all other keys; without a key of \
              time in the order of the keys. Null for what does not add up over time.",
        ty: "Decimal",
        how: How::Running,
        compared: false,
    },
];
const RATIO: &[Told] = &[
    COUNT,
    DISTINCT,
    told("min", "The least value.", "Decimal", Function::Min),
    told("max", "The greatest value.", "Decimal", Function::Max),
    told(
        "unweightedAvg",
        "The mean of the values, each with the same weight, whatever it stands for. To six places.",
        "Decimal",
        Function::Avg,
    ),
    STDDEV,
    VARIANCE,
    MEDIAN,
    PERCENTILE,
];
const ORDINAL: &[Told] = &[
    COUNT,
    DISTINCT,
    told("min", "The least value.", "Int", Function::Min),
    told("max", "The greatest value.", "Int", Function::Max),
];
const TEXT: &[Told] = &[
    COUNT,
    DISTINCT,
    told("min", "The first value in the order of names.", "String", Function::Min),
    told("max", "The last value in the order of names.", "String", Function::Max),
];
const DATE: &[Told] = &[
    COUNT,
    DISTINCT,
    told("min", "The earliest day.", "Date", Function::Min),
    told("max", "The latest day.", "Date", Function::Max),
];
const MOMENT: &[Told] = &[
    COUNT,
    DISTINCT,
    told("min", "The earliest moment.", "DateTime", Function::Min),
    told("max", "The latest moment.", "DateTime", Function::Max),
];
const BOOLEAN: &[Told] = &[
    COUNT,
    told("any", "Whether it is true of at least one; null without values.", "Boolean", Function::Any),
    told("every", "Whether it is true of all; null without values.", "Boolean", Function::Every),
];
const VALUE: &[Told] = &[COUNT, DISTINCT];

const ALL: [Figure; 8] = [
    Figure::Quantity,
    Figure::Ratio,
    Figure::Ordinal,
    Figure::Text,
    Figure::Date,
    Figure::Moment,
    Figure::Boolean,
    Figure::Value,
];

/// What is told of such values.
pub(crate) fn all(figure: Figure) -> &'static [Told] {
    match figure {
        Figure::Quantity => QUANTITY,
        Figure::Ratio => RATIO,
        Figure::Ordinal => ORDINAL,
        Figure::Text => TEXT,
        Figure::Date => DATE,
        Figure::Moment => MOMENT,
        Figure::Boolean => BOOLEAN,
        Figure::Value => VALUE,
    }
}

/// The type that tells it.
pub(crate) fn type_name(figure: Figure) -> &'static str {
    match figure {
        Figure::Quantity => "QuantityFigures",
        Figure::Ratio => "RatioFigures",
        Figure::Ordinal => "OrdinalFigures",
        Figure::Text => "TextFigures",
        Figure::Date => "DateFigures",
        Figure::Moment => "MomentFigures",
        Figure::Boolean => "BooleanFigures",
        Figure::Value => "ValueFigures",
    }
}

fn subject(figure: Figure) -> &'static str {
    match figure {
        Figure::Quantity => "numbers that add up",
        Figure::Ratio => "numbers that do not add up, such as percentages and scores",
        Figure::Ordinal => "numbers that put things in order, such as years and versions",
        Figure::Text => "texts",
        Figure::Date => "days",
        Figure::Moment => "moments",
        Figure::Boolean => "what is true or false",
        Figure::Value => "values that can only be told apart",
    }
}

/// The columns of a type that may be asked for over many rows.
pub(crate) fn columns(ty: &Type) -> impl Iterator<Item = (&str, ColumnField, Figure)> {
    ty.columns().filter_map(|(field, column)| Some((field.name.as_str(), column, ty.figure(&column)?)))
}

/// The relations of a type that lead to one row.
pub(crate) fn to_one(ty: &Type) -> impl Iterator<Item = (&str, Relation, &'static Type)> {
    let to = |relation: Relation| &Model::get().types[relation.to];
    ty.relations()
        .filter(|(_, relation)| !relation.many)
        .map(move |(field, relation)| (field.name.as_str(), relation, to(relation)))
}

/// Registers what all types share.
pub(crate) fn common(insert: &mut dyn FnMut(MetaType)) {
    insert(enumeration("Bucket", "How long a time is one key.", Bucket::ALL.map(|(name, _, doc)| owned((name, doc)))));
    insert(enumeration(
        "PriorPeriod",
        "How much earlier the group is that a group is compared with.",
        PriorPeriod::ALL.map(|(name, _, doc)| owned((name, doc))),
    ));
    let nulls = || with_default(input("nulls", "Where the group without a value comes.", "NullsOrder"), "LAST");
    insert(input_object("KeyOptions", "How a column is a key.", [nulls()]));
    let bucket = input(
        "bucket",
        "How long a time is one key; a moment is of the day that it is in your organization's timezone.",
        "Bucket",
    );
    insert(input_object("TimeKeyOptions", "How a day or a moment is a key.", [with_default(bucket, "DAY"), nulls()]));
    for figure in ALL {
        let (name, subject) = (type_name(figure), subject(figure));
        let told = all(figure).iter().map(|told| {
            let at = input("at", "Which share of the values, from 0 to 1.", "Float!");
            let arguments = matches!(told.how, How::Percentile).then_some(at);
            field(told.name, told.doc, told.ty.into(), arguments)
        });
        insert(object(name, &format!("What is told of {subject}, over the rows of a group."), fields(told)));
        let compared = || all(figure).iter().filter(|told| told.compared);
        let conditions =
            compared().map(|told| input(told.name, told.doc, &format!("{}Filter", told.ty.trim_end_matches('!'))));
        insert(input_object(
            &format!("{name}Filter"),
            &format!("Conditions on what is told of {subject}; all that are given must hold."),
            conditions,
        ));
        let key = input("key", "By the value itself, if it is a key.", "OrderDirection");
        let orders = compared().map(|told| input(told.name, told.doc, "OrderDirection"));
        insert(input_object(
            &format!("{name}Order"),
            &format!("By what of {subject} groups are ordered: one of these."),
            std::iter::once(key).chain(orders),
        ));
    }
}

/// Registers the groups of a type's rows.
pub(crate) fn register(insert: &mut dyn FnMut(MetaType), ty: &Type) {
    let (name, words) = (ty.name, ty.words());
    let filter = || input("filter", "Only of the rows that satisfy this.", &format!("{name}Filter"));
    let prior = with_default(input("by", "How much earlier.", "PriorPeriod!"), "BUCKET");
    let mut group = fields([
        field("key", "What its rows have in common.", format!("{name}GroupKey!"), []),
        field(
            "depth",
            "How many of the keys are its own: all of them in a group, fewer in a subtotal, none in the total.",
            "Int!".into(),
            [],
        ),
        field("count", "How many rows there are.", "Int!".into(), [filter()]),
        field(
            "prior",
            "The same group earlier, as far as the filter of all rows lets them; null where there is none. Needs a key of time.",
            format!("{name}Group"),
            [prior],
        ),
    ]);
    let first = with_default(input("first", "At most this many.", "Int!"), "3");
    add(&mut group, field("rows", "The first of its rows, in the order of the list.", format!("[{name}!]!"), [first]));
    let mut key = Vec::new();
    let mut by = Vec::new();
    let mut order = vec![input("count", "By how many rows there are.", "OrderDirection")];
    let own = format!("{name}GroupFilter");
    let mut having = vec![
        input("and", "All of these hold.", &format!("[{own}!]")),
        input("or", "At least one of these holds.", &format!("[{own}!]")),
        input("not", "This does not hold.", &own),
        input("count", "How many rows there are.", "IntFilter"),
    ];
    for (column, of, figure) in columns(ty) {
        let told = type_name(figure);
        let is_time = matches!(figure, Figure::Date | Figure::Moment);
        let scalar = if is_time { "Date".into() } else { scalar::type_name(of.kind) };
        add(&mut group, field(column, &format!("What is told of `{column}`."), format!("{told}!"), [filter()]));
        key.push(field(column, &format!("Their `{column}`."), scalar, []));
        by.push(input(column, &format!("By `{column}`."), if is_time { "TimeKeyOptions" } else { "KeyOptions" }));
        having.push(input(column, &format!("What is told of `{column}`."), &format!("{told}Filter")));
        order.push(input(column, &format!("By `{column}`."), &format!("{told}Order")));
    }
    for (relation, _, to) in to_one(ty) {
        key.push(field(relation, &format!("Of their `{relation}`."), format!("{}GroupKey!", to.name), []));
        by.push(input(relation, &format!("By a column of `{relation}`."), &format!("{}GroupBy", to.name)));
        order.push(input(relation, &format!("By a key of `{relation}`."), &format!("{}GroupOrder", to.name)));
    }
    insert(object(
        &format!("{name}Group"),
        &format!(
            "A group of {words} rows: what its rows have in common, and for each column what is told of their values."
        ),
        group,
    ));
    insert(object(
        &format!("{name}GroupKey"),
        "What the rows of a group have in common. Null is what is no key, what a subtotal spans, and what there is no value of.",
        fields(key),
    ));
    insert(input_object(
        &format!("{name}GroupBy"),
        &format!("By what {words} rows are grouped: one column, of theirs or of what they refer to."),
        by,
    ));
    insert(input_object(
        &own,
        &format!("What groups of {words} rows must satisfy; all that is given must hold."),
        having,
    ));
    insert(input_object(
        &format!("{name}GroupOrder"),
        &format!("A term of an order of groups of {words} rows: one of these."),
        order,
    ));
    insert(object(
        &format!("{name}GroupConnection"),
        &format!("A page of groups of {words} rows."),
        fields([
            field("nodes", "The groups of this page.", format!("[{name}Group!]!"), []),
            field("pageInfo", "Where this page stands.", "PageInfo!".into(), []),
            field(
                "totalCount",
                "How many groups there are on all pages; counted only when asked for.",
                "Int!".into(),
                [],
            ),
        ]),
    ));
}

/// The field of a connection that tells of all rows.
pub(crate) fn aggregate(ty: &Type) -> MetaField {
    field(
        "aggregate",
        "What all rows have in common that satisfy the filter, on all pages: one group, of no keys.",
        format!("{}Group!", ty.name),
        [],
    )
}

/// The field of a connection that groups its rows.
pub(crate) fn groups(ty: &Type) -> MetaField {
    let name = ty.name;
    field(
        "groups",
        "All rows that satisfy the filter, on all pages, in groups.",
        format!("{name}GroupConnection!"),
        [
            input("by", "The keys, the first one first.", &format!("[{name}GroupBy!]!")),
            input("having", "Only groups that satisfy this.", &format!("{name}GroupFilter")),
            input(
                "orderBy",
                "The order, the first term first; by the keys unless said.",
                &format!("[{name}GroupOrder!]"),
            ),
            input("first", "At most this many groups from the start, or behind `after`. 20 unless said.", "Int"),
            input("after", "Only groups behind this cursor.", "String"),
            with_default(
                input("rollup", "With subtotals: groups by the first keys only, and of all rows.", "Boolean!"),
                "false",
            ),
            with_default(
                input(
                    "fill",
                    "With a group for each bucket between the first and the last in which there are no rows.",
                    "Boolean!",
                ),
                "false",
            ),
        ],
    )
}
