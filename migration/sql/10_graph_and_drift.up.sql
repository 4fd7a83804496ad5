-- What the text implies: how the clauses and terms depend on each other, and where they drift from what was agreed.

-- What a node of the dependency graph stands for.
CREATE TYPE node_type AS ENUM (
    'financial', -- A commercial clause or an amount, a rate, a margin or a fee.
    'covenant', -- A covenant clause, or a limit or a ratio in one.
    'definition', -- A definition clause or a defined term.
    'xref' -- A clause that mainly refers to other clauses.
);

-- How far a term is from its agreed value.
CREATE TYPE drift_severity AS ENUM (
    'HIGH', -- A financial or covenant term has changed by 10 % or more; it can block the publication.
    'MEDIUM', -- A financial or covenant term has changed by 5 % or more, or a definition or a value without a number has changed.
    'LOW' -- A smaller deviation.
);

-- Where a drift item stands; whatever is settled never changes again.
CREATE TYPE drift_status AS ENUM (
    'unresolved', -- The deviation is open.
    'overridden', -- The agreed baseline has taken the drafted value.
    'reverted', -- The draft has gone back to the agreed baseline.
    'approved' -- Risk has accepted the deviation; draft and baseline stay apart.
);

-- The kind of reason given for a decision.
CREATE TYPE reason_category AS ENUM (
    'borrower_request', -- The borrower has asked for it.
    'market_conditions', -- The market has moved.
    'credit_update', -- The credit view of the borrower has changed.
    'legal_requirement', -- Law or regulation requires it.
    'other' -- Any other reason, which the text of the reason explains.
);

-- A node of the dependency graph of an agreement: a clause or a variable on which others depend.
CREATE TABLE graph_nodes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the node.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace whose graph has the node.
    label varchar(255) NOT NULL, -- The title of the clause or the label of the variable.
    type node_type NOT NULL, -- What the node stands for.
    clause_id uuid, -- The clause that the node stands for or in which its variable stands; NULL once the clause is deleted.
    variable_id uuid, -- The variable that the node stands for; NULL for a clause or once the variable is deleted.
    value text, -- The drafted value of the variable; NULL for a clause.
    has_drift boolean NOT NULL DEFAULT false, -- Whether the clause or variable has unresolved drift.
    has_warning boolean NOT NULL DEFAULT false, -- Whether the text has a defect here, such as a dangling reference or a circular definition.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the node was first found.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the node was last synchronized with the text.
    CONSTRAINT uq_graph_nodes_id_workspace UNIQUE (id, workspace_id),
    CONSTRAINT fk_graph_nodes_clause FOREIGN KEY (clause_id, workspace_id) REFERENCES clauses (id, workspace_id) ON DELETE SET NULL (clause_id),
    CONSTRAINT fk_graph_nodes_variable FOREIGN KEY (variable_id, workspace_id) REFERENCES variables (id, workspace_id) ON DELETE SET NULL (variable_id)
);

CREATE INDEX idx_graph_nodes_workspace_id ON graph_nodes (workspace_id, label COLLATE natural_order, id);
CREATE INDEX idx_graph_nodes_clause_id ON graph_nodes (clause_id, label COLLATE natural_order, id);
CREATE INDEX idx_graph_nodes_variable_id ON graph_nodes (variable_id, label COLLATE natural_order, id);
CREATE INDEX idx_graph_nodes_type ON graph_nodes (type);

SELECT grant_access('graph_nodes');

-- A dependency between two nodes of the graph, found in the text: what the source says has an effect on the target.
CREATE TABLE graph_edges (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the edge.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of both nodes.
    source_id uuid NOT NULL, -- The node from which the dependency goes out.
    target_id uuid NOT NULL, -- The node to which the dependency leads.
    weight integer NOT NULL DEFAULT 1, -- The strength of the dependency, from 1 (weak) to 5 (strong).
    created_at timestamptz NOT NULL DEFAULT now(), -- When the dependency was found.
    CONSTRAINT uq_graph_edges_workspace_source_target UNIQUE (workspace_id, source_id, target_id),
    CONSTRAINT fk_graph_edges_source FOREIGN KEY (source_id, workspace_id) REFERENCES graph_nodes (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT fk_graph_edges_target FOREIGN KEY (target_id, workspace_id) REFERENCES graph_nodes (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT ck_graph_edges_weight CHECK (weight BETWEEN 1 AND 5)
);

CREATE INDEX idx_graph_edges_workspace_id ON graph_edges (workspace_id, weight DESC, id DESC);
CREATE INDEX idx_graph_edges_source_id ON graph_edges (source_id, weight DESC, id DESC);
CREATE INDEX idx_graph_edges_target_id ON graph_edges (target_id, weight DESC, id DESC);

SELECT grant_access('graph_edges');

-- The state of the dependency graph of a workspace as it was last computed.
CREATE TABLE graph_state (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the state.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, which has one state.
    integrity_score numeric(5,4) NOT NULL DEFAULT 1, -- The integrity of the documentation as a ratio 0-1, lowered by drift and by warnings.
    last_computed_at timestamptz NOT NULL DEFAULT now(), -- When the score was last computed.
    CONSTRAINT uq_graph_state_workspace UNIQUE (workspace_id),
    CONSTRAINT ck_graph_state_integrity_score CHECK (integrity_score BETWEEN 0 AND 1)
);

SELECT grant_access('graph_state');

-- A deviation of a drafted term from its agreed baseline, with how it was settled.
CREATE TABLE drift_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the drift item.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of clause and variable.
    clause_id uuid NOT NULL, -- The clause that deviates or in which the term stands.
    variable_id uuid, -- The variable that deviates; NULL when it is the clause or once the variable is deleted.
    title varchar(255) NOT NULL, -- What deviates, in a few words.
    type clause_type NOT NULL, -- What the deviating term is about.
    severity drift_severity NOT NULL, -- How far the drafted value is from the baseline.
    baseline_value text NOT NULL, -- The agreed value.
    baseline_approved_at timestamptz NOT NULL, -- When the baseline was agreed.
    current_value text NOT NULL, -- The drafted value that deviates.
    current_modified_at timestamptz NOT NULL, -- When the drafted value was edited.
    current_modified_by uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT, -- The user who edited the drafted value.
    status drift_status NOT NULL DEFAULT 'unresolved', -- Where the item stands.
    approved_by uuid REFERENCES users (id) ON DELETE SET NULL, -- The user who settled the item; NULL while it is unresolved.
    approved_at timestamptz, -- When the item was settled; NULL while it is unresolved.
    approval_reason text, -- Why the item was settled as it was; NULL while it is unresolved.
    reason_category reason_category, -- The kind of that reason; NULL while it is unresolved or when no kind was given.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the deviation was detected.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the item was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    override_requested_by uuid REFERENCES users (id) ON DELETE SET NULL, -- The user whose override of the baseline waits for the approval of risk; NULL when none waits.
    override_requested_at timestamptz, -- When that override was asked for; NULL when none waits.
    override_reason text, -- Why the override was asked for; NULL when none waits.
    override_category reason_category, -- The kind of that reason; NULL when none waits or no kind was given.
    CONSTRAINT fk_drift_items_clause FOREIGN KEY (clause_id, workspace_id) REFERENCES clauses (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT fk_drift_items_variable FOREIGN KEY (variable_id, workspace_id) REFERENCES variables (id, workspace_id) ON DELETE SET NULL (variable_id),
    CONSTRAINT ck_drift_items_settled CHECK (status = 'unresolved' OR (approved_at IS NOT NULL AND approval_reason IS NOT NULL)),
    CONSTRAINT ck_drift_items_override CHECK (
        (override_requested_at IS NULL) = (override_reason IS NULL)
        AND (override_requested_by IS NULL OR override_requested_at IS NOT NULL)
        AND (override_category IS NULL OR override_requested_at IS NOT NULL)
    )
);

CREATE INDEX idx_drift_items_workspace_id ON drift_items (workspace_id, current_modified_at DESC, id DESC);
CREATE INDEX idx_drift_items_clause_id ON drift_items (clause_id, current_modified_at DESC, id DESC);
CREATE INDEX idx_drift_items_variable_id ON drift_items (variable_id, current_modified_at DESC, id DESC);
CREATE INDEX idx_drift_items_current_modified_by ON drift_items (current_modified_by, current_modified_at DESC, id DESC);
CREATE INDEX idx_drift_items_approved_by ON drift_items (approved_by, current_modified_at DESC, id DESC) WHERE approved_by IS NOT NULL;
CREATE INDEX idx_drift_items_workspace_status ON drift_items (workspace_id, status);
CREATE INDEX idx_drift_items_workspace_severity ON drift_items (workspace_id, severity);
CREATE INDEX idx_drift_items_severity ON drift_items (severity);
CREATE INDEX idx_drift_items_status ON drift_items (status);

CREATE INDEX idx_drift_items_override_requested_by ON drift_items (override_requested_by, current_modified_at DESC, id DESC)
    WHERE override_requested_by IS NOT NULL;
-- One term has one open deviation at a time; a settled one stays.
CREATE UNIQUE INDEX uq_drift_items_open_variable ON drift_items (variable_id) WHERE status = 'unresolved' AND variable_id IS NOT NULL;

SELECT grant_access('drift_items');
SELECT keep_versions('drift_items');

-- What is wrong at a node of the dependency graph.
CREATE TYPE graph_warning_kind AS ENUM (
    'DANGLING_REFERENCE', -- The text refers to a clause that is not there.
    'UNDEFINED_TERM', -- The text uses a term that is defined nowhere.
    'DUPLICATE_DEFINITION', -- The text defines a term that is defined elsewhere too.
    'CIRCULAR_DEFINITION', -- The definition of a term leads back to the term itself.
    'SENSITIVE_DRIFT' -- A commercially sensitive clause has unresolved drift.
);

-- A warning about a node of the dependency graph, as the last synchronization found it.
CREATE TABLE graph_warnings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the warning.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of the node.
    graph_node_id uuid NOT NULL, -- The node that the warning is about.
    kind graph_warning_kind NOT NULL, -- What is wrong.
    subject text NOT NULL, -- What it is about: the reference, the term or the clause, as the text has it.
    message text NOT NULL, -- What is wrong, in a sentence.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the warning was found.
    CONSTRAINT fk_graph_warnings_node FOREIGN KEY (graph_node_id, workspace_id) REFERENCES graph_nodes (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT uq_graph_warnings UNIQUE (graph_node_id, kind, subject)
);

CREATE INDEX idx_graph_warnings_workspace_id ON graph_warnings (workspace_id, created_at, id);
CREATE INDEX idx_graph_warnings_graph_node_id ON graph_warnings (graph_node_id, created_at, id);

SELECT grant_access('graph_warnings');

-- How many nodes the graph of a workspace has, and how many of them have what lowers the integrity.
CREATE TABLE graph_node_counts (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace.
    nodes bigint NOT NULL, -- How many nodes there are.
    with_drift bigint NOT NULL, -- How many of them have unresolved drift.
    with_warning bigint NOT NULL -- How many of them have a warning.
);

GRANT SELECT, INSERT, UPDATE, DELETE ON graph_node_counts TO aether_writer;

\i functions/count_new_graph_nodes.sql

\i functions/count_gone_graph_nodes.sql

\i functions/count_changed_graph_node.sql

CREATE TRIGGER count_new AFTER INSERT ON graph_nodes REFERENCING NEW TABLE AS coming
    FOR EACH STATEMENT EXECUTE FUNCTION count_new_graph_nodes();
CREATE TRIGGER count_gone AFTER DELETE ON graph_nodes REFERENCING OLD TABLE AS going
    FOR EACH STATEMENT EXECUTE FUNCTION count_gone_graph_nodes();
CREATE TRIGGER count_changed AFTER UPDATE OF has_drift, has_warning ON graph_nodes
    FOR EACH ROW WHEN ((OLD.has_drift, OLD.has_warning) IS DISTINCT FROM (NEW.has_drift, NEW.has_warning))
    EXECUTE FUNCTION count_changed_graph_node();

\i functions/link_variables.sql

\i functions/refresh_graph.sql
