//! What can be subscribed to, declared once: from here come the fields of the subscription root, their arguments and messages,
//! and what of a changed row is written into its event so that subscribers can filter.

/// A field of the subscription root.
pub struct Feed {
    /// Its name.
    pub field: &'static str,
    /// Its description.
    pub doc: &'static str,
    /// The GraphQL type of its messages.
    pub message: &'static str,
    /// The topic of its events.
    pub topic: &'static str,
    /// The tables whose rows it tells of.
    pub tables: &'static [&'static str],
    /// Whose events.
    pub of: Of,
    /// By what it can be filtered besides the row's id.
    pub filters: &'static [Filter],
}

/// Whose events a feed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A workspace's, which must be named.
    Workspace,
    /// The subscriber's organization's.
    Organization,
    /// A workspace's if one is named, or else the organization's.
    Either,
}

/// A filter by values of a column.
pub struct Filter {
    /// The argument's name.
    pub argument: &'static str,
    /// The column.
    pub column: &'static str,
}

const fn by(argument: &'static str, column: &'static str) -> Filter {
    Filter { argument, column }
}

const STATUS: Filter = by("status", "status");
const SEVERITY: Filter = by("severity", "severity");

/// The feeds.
pub static FEEDS: &[Feed] = &[
    Feed {
        field: "driftChanged",
        doc: "Tells of drift items of a workspace: found, grown worse, in an override, settled.",
        message: "DriftChange",
        topic: "drift",
        tables: &["drift_items"],
        of: Of::Workspace,
        filters: &[SEVERITY, STATUS],
    },
    Feed {
        field: "anomalyChanged",
        doc: "Tells of anomalies of your organization: found, assigned, investigated, resolved, dismissed.",
        message: "AnomalyChange",
        topic: "anomaly",
        tables: &["anomalies"],
        of: Of::Organization,
        filters: &[SEVERITY, STATUS, by("metric", "metric_type")],
    },
    Feed {
        field: "graphChanged",
        doc: "Tells when the dependency graph of a workspace was brought up to date, with its integrity score.",
        message: "GraphChange",
        topic: "graph",
        tables: &["graph_state"],
        of: Of::Workspace,
        filters: &[],
    },
    Feed {
        field: "clauseChanged",
        doc: "Tells of clauses of a workspace: added, edited, moved, locked, deleted.",
        message: "ClauseChange",
        topic: "clause",
        tables: &["clauses"],
        of: Of::Workspace,
        filters: &[],
    },
    Feed {
        field: "dealChanged",
        doc: "Tells of deals of your organization: created, edited, advanced, closed, reassigned.",
        message: "DealChange",
        topic: "deal",
        tables: &["deals"],
        of: Of::Organization,
        filters: &[by("stage", "stage")],
    },
    Feed {
        field: "budgetChanged",
        doc: "Tells of budgets of your organization: drafted, edited, submitted, approved, rejected, locked.",
        message: "BudgetChange",
        topic: "budget",
        tables: &["budgets"],
        of: Of::Organization,
        filters: &[STATUS],
    },
    Feed {
        field: "reconciliationProgress",
        doc: "Tells how far the reconciliation of markups in a workspace has come: after each decision, with the counts.",
        message: "ReconciliationProgress",
        topic: "reconciliation",
        tables: &["reconciliation_sessions"],
        of: Of::Workspace,
        filters: &[],
    },
    Feed {
        field: "scenarioProgress",
        doc: "Tells of scenarios: created, edited, shared, running, completed, failed.",
        message: "ScenarioProgress",
        topic: "scenario",
        tables: &["scenarios"],
        of: Of::Organization,
        filters: &[STATUS],
    },
    Feed {
        field: "syncProgress",
        doc: "Tells of synchronizations of integrations: begun, ended, failed, with what was read and written.",
        message: "SyncProgress",
        topic: "integration",
        tables: &["integration_syncs"],
        of: Of::Organization,
        filters: &[STATUS],
    },
    Feed {
        field: "auditAppended",
        doc: "Tells of each row that is appended to the audit trail, if you may read it: of a workspace if one is named, or else \
              of your organization.",
        message: "AuditAppend",
        topic: "audit",
        tables: &["audit_logs", "audit_events"],
        of: Of::Either,
        filters: &[],
    },
    Feed {
        field: "kpiRefreshed",
        doc: "Tells when the summaries of your organization's metrics were brought up to date, which is every five minutes.",
        message: "KpiRefresh",
        topic: "kpi",
        tables: &["organizations"],
        of: Of::Organization,
        filters: &[],
    },
];

/// The states in which a row is settled: a change that brings it there is told as such.
const SETTLED: &[(&str, &str, &[&str])] = &[
    ("drift_items", "status", &["overridden", "reverted", "approved"]),
    ("anomalies", "status", &["resolved", "dismissed"]),
    ("compliance_issues", "status", &["Resolved", "Accepted Risk"]),
    ("deals", "stage", &["Closed Won", "Closed Lost"]),
    ("integration_syncs", "status", &["success", "partial", "failed"]),
    ("scenarios", "status", &["completed", "failed"]),
];

/// Whether a row of this table is settled by this state of this column.
pub(crate) fn settles(table: &str, column: &str, label: &str) -> bool {
    SETTLED.iter().any(|(of, state, labels)| *of == table && *state == column && labels.contains(&label))
}

/// The columns of a table of which its events tell the values: those that feeds filter by, and whose membership it is.
pub(crate) fn facets(table: &str) -> impl Iterator<Item = &'static str> {
    let of_feeds = FEEDS.iter().filter(move |feed| feed.tables.contains(&table)).flat_map(|feed| feed.filters);
    let member = (table == "workspace_members").then_some("user_id");
    of_feeds.map(|filter| filter.column).chain(member)
}

/// The topics that all events can be narrowed to, with what they are about.
pub static TOPICS: &[(&str, &str)] = &[
    ("ai_action", "What AI models proposed and did."),
    ("anomaly", "Anomalies of metrics."),
    ("audit", "Rows of the audit trail."),
    ("budget", "Budgets and their lines."),
    ("clause", "Clauses."),
    ("compliance", "Controls and issues."),
    ("connector", "Connectors, and deliveries to them."),
    ("conversation", "Conversations with the assistant."),
    ("covenant", "Covenants."),
    ("deal", "Deals and their history."),
    ("department", "Departments and their costs."),
    ("drift", "Commercial drift."),
    ("golden_record", "Golden records and their versions."),
    ("graph", "The dependency graph of a workspace."),
    ("integration", "Integrations, their synchronizations and logs."),
    ("kpi", "The summaries of metrics."),
    ("lineage", "The lineage of data."),
    ("metric", "Metrics."),
    ("model", "AI models and their metrics."),
    ("organization", "The organization."),
    ("pipeline_snapshot", "Snapshots of the pipeline."),
    ("reconciliation", "Reconciliation sessions and their items."),
    ("scenario", "Scenarios and their results."),
    ("session", "Sessions that ended."),
    ("user", "Users, their invitations and sessions."),
    ("variable", "Variables."),
    ("vendor", "Vendors and what is spent with them."),
    ("workspace", "Workspaces and their members."),
];
