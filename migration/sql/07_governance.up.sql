-- Governance: the audit log of the organizations, compliance controls and their issues, and data lineage.

-- Who or what has acted.
CREATE TYPE actor_type AS ENUM (
    'HUMAN', -- A user.
    'AI_AGENT', -- The assistant.
    'SYSTEM' -- The product itself or a connected system.
);

-- The result of the last verification of a control.
CREATE TYPE control_status AS ENUM (
    'pass', -- The control works as designed.
    'fail', -- The control does not work.
    'warning', -- The control works with shortcomings.
    'not_verified', -- The control has not been verified yet.
    'not_applicable' -- The control does not apply.
);

-- How often a control is performed or tested.
CREATE TYPE control_frequency AS ENUM (
    'real_time', -- Continuously.
    'daily', -- Every day.
    'weekly', -- Every week.
    'monthly', -- Every month.
    'quarterly', -- Every quarter.
    'annual' -- Every year.
);

-- Where a compliance issue stands.
CREATE TYPE compliance_issue_status AS ENUM (
    'open', -- Nobody works on the issue yet.
    'in_progress', -- The issue is being remediated.
    'resolved', -- The issue is remediated.
    'accepted_risk' -- The organization has accepted the risk and does not remediate.
);

-- What a node does in the flow of the data.
CREATE TYPE lineage_node_type AS ENUM (
    'source', -- A system where data originates.
    'process', -- A step that changes data.
    'storage', -- A place where data is kept.
    'output' -- A report or another use of the data.
);

-- Whether a lineage node works.
CREATE TYPE lineage_node_status AS ENUM (
    'active', -- The node is in use.
    'inactive', -- The node is out of use.
    'error', -- The node has failed.
    'processing' -- The node is at work.
);

-- How sensitive data is.
CREATE TYPE data_classification AS ENUM (
    'public', -- Anybody may know the data.
    'internal', -- The data is for the organization only.
    'confidential', -- The data is for those who need it only.
    'restricted' -- The data is under the strictest protection, for example personal or price-sensitive data.
);

-- What happens to the data on its way from one node to the next.
CREATE TYPE transformation_type AS ENUM (
    'extract', -- The data is read from its source.
    'transform', -- The data is changed in form or content.
    'load', -- The data is written to its destination.
    'aggregate' -- The data is summed up.
);

-- An entry in the audit log of an organization. Nobody can change or delete it; the one exception is that its review is recorded once.
CREATE TABLE audit_logs (
    id uuid NOT NULL DEFAULT gen_random_uuid(), -- The unique identifier of the entry.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization in which it was done.
    "timestamp" timestamptz NOT NULL DEFAULT now(), -- When it was done.
    actor_type actor_type NOT NULL, -- Who or what did it.
    actor_id uuid, -- The user (HUMAN) or the action of the assistant (AI_AGENT) that did it; NULL for SYSTEM or when unknown.
    actor_name varchar(255) NOT NULL, -- The name of the actor at the time.
    actor_email varchar(255), -- The e-mail address of the actor at the time; NULL when there is none.
    action varchar(200) NOT NULL, -- What was done, such as FORECAST_OVERRIDE, DEAL_UPDATE or LOGIN.
    action_category varchar(100), -- The area of the action, such as FINANCIAL, SALES, AUTH or CONFIG; NULL when there is none.
    resource_type varchar(100), -- What kind of thing it was done to, such as deal, forecast or user; NULL when there was none.
    resource_id uuid, -- The identifier of the thing it was done to; NULL when there was none.
    details jsonb NOT NULL, -- The description, the values before and after and the reason, as a JSON object.
    risk_level risk_level NOT NULL DEFAULT 'low', -- The risk of the action.
    ip_address inet, -- The network address from which it was done; NULL when unknown.
    user_agent text, -- The client program with which it was done, as it names itself; NULL when unknown.
    session_id uuid, -- The user session in which it was done; NULL when there was none.
    request_id uuid, -- The request in which it was done, which links the entries of one request; NULL when there was none.
    requires_review boolean NOT NULL DEFAULT false, -- Whether somebody must review the action because of its risk.
    reviewed boolean NOT NULL DEFAULT false, -- Whether the action has been reviewed.
    reviewed_by uuid REFERENCES users (id), -- The user who reviewed the action; NULL while it is not reviewed.
    reviewed_at timestamptz, -- When the action was reviewed; NULL while it is not reviewed.
    CONSTRAINT pk_audit_logs PRIMARY KEY (id, "timestamp"),
    CONSTRAINT ck_audit_logs_details CHECK (jsonb_typeof(details) = 'object'),
    CONSTRAINT ck_audit_logs_reviewed CHECK (reviewed = (reviewed_by IS NOT NULL) AND reviewed = (reviewed_at IS NOT NULL))
) PARTITION BY RANGE ("timestamp");

CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;

CREATE INDEX idx_audit_logs_organization_id ON audit_logs (organization_id, "timestamp" DESC, id DESC);
CREATE INDEX idx_audit_logs_actor ON audit_logs (organization_id, actor_id, "timestamp" DESC, id DESC) WHERE actor_id IS NOT NULL;
CREATE INDEX idx_audit_logs_actor_id ON audit_logs (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX idx_audit_logs_action ON audit_logs (organization_id, action, "timestamp" DESC, id DESC);
CREATE INDEX idx_audit_logs_resource ON audit_logs (resource_type, resource_id);
CREATE INDEX idx_audit_logs_review ON audit_logs (organization_id, "timestamp" DESC, id DESC) WHERE requires_review AND NOT reviewed;
CREATE INDEX idx_audit_logs_search ON audit_logs USING gin (details jsonb_path_ops);
CREATE INDEX idx_audit_logs_reviewed_by ON audit_logs (reviewed_by, "timestamp" DESC, id DESC) WHERE reviewed_by IS NOT NULL;
CREATE INDEX idx_audit_logs_session_id ON audit_logs (session_id) WHERE session_id IS NOT NULL;

SELECT grant_access('audit_logs', writer => 'INSERT');
GRANT UPDATE (reviewed, reviewed_by, reviewed_at) ON audit_logs TO aether_writer;

\i functions/refuse_audit_log_change.sql

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_log_change();
SELECT refuse_truncate_on('audit_logs');
SELECT refuse_truncate_on('audit_logs_default');

-- A control by which the organization meets a compliance framework, with the result of its last verification.
CREATE TABLE compliance_controls (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the control.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that the control belongs to.
    control_id varchar(50) NOT NULL, -- The reference of the control in the organization, such as SOX-AC-001.
    framework varchar(50) NOT NULL, -- The compliance framework, such as SOX, SOC2 or GDPR.
    category varchar(100) NOT NULL, -- The area of the control, such as Access Controls or Change Management.
    name varchar(255) NOT NULL, -- The name of the control.
    description text, -- What is done; NULL when nothing was written.
    objective text, -- What the control is to achieve; NULL when nothing was written.
    frequency control_frequency NOT NULL, -- How often the control is performed.
    automated boolean NOT NULL DEFAULT false, -- Whether the control is tested automatically.
    test_procedure text, -- How the control is tested; NULL when nothing was written.
    status control_status NOT NULL DEFAULT 'not_verified', -- The result of the last verification.
    last_verified_at timestamptz, -- When the control was last verified; NULL when it never was.
    next_verification_at timestamptz, -- When the control is to be verified next; NULL when that is not planned.
    owner_id uuid REFERENCES users (id), -- The user responsible for the control; NULL when nobody is.
    evidence_required text[], -- The evidence that a verification needs; NULL when it is not laid down.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the control was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the control was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_compliance_controls_control UNIQUE (organization_id, control_id),
    CONSTRAINT uq_compliance_controls_id_organization UNIQUE (id, organization_id),
    CONSTRAINT ck_compliance_controls_control_id CHECK (btrim(control_id) <> ''),
    CONSTRAINT ck_compliance_controls_name CHECK (btrim(name) <> '')
);

CREATE INDEX idx_compliance_controls_organization_id ON compliance_controls (organization_id, control_id COLLATE natural_order, id);
CREATE INDEX idx_compliance_controls_owner_id ON compliance_controls (owner_id, control_id COLLATE natural_order, id) WHERE owner_id IS NOT NULL;

SELECT grant_access('compliance_controls');
SELECT keep_versions('compliance_controls');

-- A failing or a shortcoming of a control, and its remediation.
CREATE TABLE compliance_issues (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the issue.
    control_id uuid NOT NULL, -- The control that the issue concerns, of the same organization.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that the issue belongs to.
    description text NOT NULL, -- What is wrong.
    severity severity_level NOT NULL, -- How serious the issue is.
    detected_at timestamptz NOT NULL DEFAULT now(), -- When the issue was detected.
    due_date date, -- The day by which the issue is to be resolved; NULL when none is set.
    assigned_to uuid REFERENCES users (id), -- The user who works on the issue; NULL when nobody does.
    status compliance_issue_status NOT NULL DEFAULT 'open', -- Where the issue stands.
    remediation_plan text, -- How the issue is to be remediated; NULL when nothing was written.
    resolved_at timestamptz, -- When the issue was resolved or its risk accepted; NULL before that.
    resolved_by uuid REFERENCES users (id), -- The user who resolved the issue or accepted its risk; NULL before that.
    resolution_notes text, -- How the issue was resolved; NULL when nothing was written.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the issue was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the issue was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT fk_compliance_issues_control FOREIGN KEY (control_id, organization_id) REFERENCES compliance_controls (id, organization_id),
    CONSTRAINT ck_compliance_issues_description CHECK (btrim(description) <> ''),
    CONSTRAINT ck_compliance_issues_resolved CHECK (status <> 'resolved' OR resolved_at IS NOT NULL),
    CONSTRAINT ck_compliance_issues_open CHECK (status NOT IN ('open', 'in_progress') OR (resolved_at IS NULL AND resolved_by IS NULL))
);

CREATE INDEX idx_compliance_issues_organization_id ON compliance_issues (organization_id, detected_at DESC, id DESC);
CREATE INDEX idx_compliance_issues_control_id ON compliance_issues (control_id, detected_at DESC, id DESC);
CREATE INDEX idx_compliance_issues_assigned_to ON compliance_issues (assigned_to, detected_at DESC, id DESC) WHERE assigned_to IS NOT NULL;
CREATE INDEX idx_compliance_issues_resolved_by ON compliance_issues (resolved_by, detected_at DESC, id DESC) WHERE resolved_by IS NOT NULL;
CREATE INDEX idx_compliance_issues_status ON compliance_issues (organization_id, status) WHERE status <> 'resolved';

SELECT grant_access('compliance_issues');
SELECT keep_versions('compliance_issues');

-- A station in the flow of the organization's data: a system, a processing step, a data store or a report.
CREATE TABLE data_lineage_nodes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the node.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that the node belongs to.
    node_key varchar(100) NOT NULL, -- The key of the node, unique in the organization, such as sap_gl.
    label varchar(255) NOT NULL, -- The name of the node as it is shown.
    type lineage_node_type NOT NULL, -- What the node does in the flow.
    subtype varchar(100), -- The kind of system or step, such as ERP, CRM, ETL or dbt; NULL when it is not laid down.
    status lineage_node_status NOT NULL DEFAULT 'active', -- Whether the node works.
    last_sync timestamptz, -- When the node last took or gave data; NULL when it never did or that is unknown.
    description text, -- What the node holds or does; NULL when nothing was written.
    system_name varchar(100), -- The system that the node is part of; NULL when it is not laid down.
    owner varchar(255), -- The person or team responsible for the node; NULL when it is not laid down.
    refresh_frequency varchar(100), -- How often the data is refreshed, in words; NULL when it is not laid down.
    data_classification data_classification, -- How sensitive the data is; NULL when it is not classified.
    position_x integer, -- The horizontal position in the diagram, in pixels; NULL when it is laid out automatically.
    position_y integer, -- The vertical position in the diagram, in pixels; NULL when it is laid out automatically.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the node was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the node was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_data_lineage_nodes_key UNIQUE (organization_id, node_key),
    CONSTRAINT uq_data_lineage_nodes_id_organization UNIQUE (id, organization_id),
    CONSTRAINT ck_data_lineage_nodes_key CHECK (btrim(node_key) <> ''),
    CONSTRAINT ck_data_lineage_nodes_position CHECK ((position_x IS NULL) = (position_y IS NULL))
);

CREATE INDEX idx_data_lineage_nodes_organization_id ON data_lineage_nodes (organization_id, node_key COLLATE natural_order, id);

SELECT grant_access('data_lineage_nodes');
SELECT keep_versions('data_lineage_nodes');

-- The flow of data from one lineage node to another.
CREATE TABLE data_lineage_edges (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the edge.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization, the same as that of both nodes.
    source_node_id uuid NOT NULL, -- The node from which the data comes.
    target_node_id uuid NOT NULL, -- The node to which the data goes.
    transformation_type transformation_type, -- What happens to the data on the way; NULL when it is not laid down.
    description text, -- What flows and how; NULL when nothing was written.
    data_volume varchar(50), -- The amount of data in words, such as 1M records/day; NULL when unknown.
    latency varchar(50), -- The delay in words, such as < 1 hour; NULL when unknown.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the edge was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the edge was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_data_lineage_edges_source_target UNIQUE (source_node_id, target_node_id),
    CONSTRAINT fk_data_lineage_edges_source FOREIGN KEY (source_node_id, organization_id) REFERENCES data_lineage_nodes (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT fk_data_lineage_edges_target FOREIGN KEY (target_node_id, organization_id) REFERENCES data_lineage_nodes (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT ck_data_lineage_edges_distinct CHECK (source_node_id <> target_node_id)
);

CREATE INDEX idx_data_lineage_edges_organization_id ON data_lineage_edges (organization_id, created_at, id);
CREATE INDEX idx_data_lineage_edges_source_node_id ON data_lineage_edges (source_node_id, created_at, id);
CREATE INDEX idx_data_lineage_edges_target_node_id ON data_lineage_edges (target_node_id, created_at, id);

SELECT grant_access('data_lineage_edges');
SELECT keep_versions('data_lineage_edges');
