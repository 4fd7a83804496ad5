//! The matrix: every mutation called as everybody, and the matrix's answer demanded, an audit row, and no other change.
//!
//! `permissions.md` is said here a second time: each mutation's module lists its cases, with who may. A mutation without
//! a case fails the test.

mod matrix;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::support::{Gateway, HOME};

/// Somebody of the demo who calls mutations: a short name, e-mail address and organization.
pub type Caller = (&'static str, &'static str, &'static str);

/// The organization roles.
pub const ORGANIZATION: [Caller; 5] = [
    ("CFO", "sarah.chen@aether-demo.com", HOME),
    ("FINANCE_MANAGER", "finance.manager@aether-demo.com", HOME),
    ("ANALYST", "analyst@aether-demo.com", HOME),
    ("VIEWER", "viewer@aether-demo.com", HOME),
    ("ADMIN", "admin@aether-demo.com", HOME),
];

/// The roles in the workspace of [`workspace`]; counsel is of another organization than the host, as is the outsider, who is
/// no member.
pub const WORKSPACE: [Caller; 6] = [
    ("agent", "agent@northgate-bank.example", "northgate-bank"),
    ("agent, no admin", "agent2@northgate-bank.example", "northgate-bank"),
    ("legal", "legal@harrow-and-lane.example", "harrow-and-lane"),
    ("risk", "risk@northgate-bank.example", "northgate-bank"),
    ("investor", "investor@castlebrook-investors.example", "castlebrook-investors"),
    ("outsider", "cfo@meridian-capital.example", "meridian-capital"),
];

/// Who may call a mutation.
pub enum May {
    /// These roles of the organization; all others are FORBIDDEN.
    Organization(&'static [&'static str]),
    /// These roles of the workspace; other members are FORBIDDEN, outsiders are told NOT_FOUND.
    Workspace(&'static [&'static str]),
    /// Everybody who is signed in, each for themselves.
    SignedIn,
    /// Anybody, without a token.
    Anybody,
}

/// One way to call one mutation.
pub struct Case {
    /// The mutation's name.
    pub mutation: &'static str,
    /// The operation, which takes what `prepare` gives as its variables.
    pub operation: &'static str,
    /// Who may.
    pub may: May,
    /// Makes, as the database's owner, what the mutation works on, and returns the variables; called anew for each call. The
    /// second argument is the caller's user id.
    pub prepare: for<'a> fn(&'a Gateway, &'a str) -> BoxFuture<'a, Value>,
}

/// Variables by SQL whose first row's columns they are: statements divided by semicolons, of which the last gives the row, by
/// SELECT or RETURNING. `$user` stands for the caller's id.
pub fn by_sql<'a>(gateway: &'a Gateway, user: &str, sql: &str) -> BoxFuture<'a, Value> {
    let sql = sql.replace("$user", user);
    Box::pin(async move {
        let (before, last) = sql.rsplit_once(';').unwrap_or(("", &sql));
        if !before.is_empty() {
            gateway.execute(before).await;
        }
        gateway.rows(last).await.into_iter().next().unwrap_or_else(|| panic!("no row: {sql}"))
    })
}

/// A case whose variables come from SQL.
#[macro_export]
macro_rules! case {
    ($mutation:literal, $may:expr, $sql:expr, $operation:expr) => {
        $crate::mutations::Case {
            mutation: $mutation,
            operation: $operation,
            may: $may,
            prepare: |gateway, user| $crate::mutations::by_sql(gateway, user, $sql),
        }
    };
}

/// The SQL of the demo workspace in which [`WORKSPACE`] are members: two agents, counsel from elsewhere, risk, an investor.
#[macro_export]
macro_rules! shared_workspace {
    () => {
        "(SELECT m.workspace_id FROM workspace_members m JOIN users u ON u.id = m.user_id \
          WHERE u.email = 'agent2@northgate-bank.example' AND m.status = 'active' AND m.role = 'agent' LIMIT 1)"
    };
}

/// The same, where it is put into what is formatted.
pub const IN_WORKSPACE: &str = shared_workspace!();

/// Every case, by mutation.
fn cases() -> BTreeMap<&'static str, Vec<Case>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let modules = [
        crate::people::sign_in::cases(),
        crate::people::cases(),
        crate::finance::budgets::cases(),
        crate::loan::locks::cases(),
        crate::loan::drafting::cases(),
        crate::loan::terms::cases(),
        crate::audit::exports::cases(),
        crate::query::exports::cases(),
        crate::governance::compliance::cases(),
        crate::loan::connectors::cases(),
        crate::integrations::cases(),
        crate::governance::lineage::cases(),
        crate::loan::golden::cases(),
        crate::finance::anomalies::cases(),
        crate::finance::departments::cases(),
        crate::finance::metrics::cases(),
        crate::finance::vendors::cases(),
        crate::sales::deals::cases(),
        crate::sales::pipeline::cases(),
        crate::scenarios::cases(),
        crate::assistant::cases(),
    ];
    for case in modules.into_iter().flatten() {
        all.entry(case.mutation).or_default().push(case);
    }
    all
}
