-- The deal: who takes part in it, the facility agreement clause by clause, the terms bound in it, its covenants.

-- The role of a member in a loan workspace, which decides what the member may do there.
CREATE TYPE workspace_role AS ENUM (
    'agent', -- The agent bank, which runs the workspace, settles drift and publishes the golden record.
    'legal', -- Counsel, who draft the clauses and bind the variables.
    'risk', -- Credit risk, who approve deviations from the agreed terms.
    'investor' -- A lender or participant, who follows the documentation and sees settled drift only.
);

-- Where a membership of a workspace stands.
CREATE TYPE member_status AS ENUM (
    'active', -- The member has joined and may use the workspace.
    'pending', -- The member is invited but has not joined yet, and sees nothing.
    'removed' -- The member has been removed and sees nothing any more.
);

-- What a clause of the agreement is about.
CREATE TYPE clause_type AS ENUM (
    'financial', -- Commercial terms such as the facility amount, the margin or the fees.
    'covenant', -- An undertaking of the borrower, such as a financial covenant.
    'definition', -- The definition of a term that the other clauses use.
    'xref', -- A clause that mainly refers to other clauses.
    'general' -- Boilerplate that stays out of the dependency graph.
);

-- What kind of term a variable holds.
CREATE TYPE variable_type AS ENUM (
    'financial', -- An amount, a rate, a margin or a fee.
    'definition', -- A defined term.
    'covenant', -- A limit or a condition of a covenant.
    'ratio' -- A ratio such as leverage or interest cover, for example 4.50:1.00.
);

-- A loan deal under documentation: the place where the agent, counsel, risk and the lenders work on one facility agreement.
CREATE TABLE workspaces (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the workspace.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that hosts the deal; members may come from others.
    name varchar(255) NOT NULL, -- The name of the deal or facility.
    currency varchar(3) NOT NULL DEFAULT 'USD', -- The base currency of the facility, as an ISO 4217 code.
    amount numeric(20,2) NOT NULL DEFAULT 0, -- The total facility amount, in the currency of the workspace.
    standard varchar(50) NOT NULL DEFAULT 'LMA', -- The documentation standard of the agreement, such as LMA or LSTA.
    base_pdf_name varchar(255), -- The file name of the base agreement; NULL when none was uploaded.
    last_sync_at timestamptz NOT NULL DEFAULT now(), -- When the dependency graph was last synchronized with the text.
    created_by_id uuid NOT NULL REFERENCES users (id), -- The user who opened the workspace.
    governance_rules jsonb NOT NULL DEFAULT '{}', -- The governance rules that differ from their defaults, as a JSON object by rule name.
    deleted_at timestamptz, -- When the workspace was deleted; NULL while it is in use.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the workspace was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the workspace was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT ck_workspaces_name CHECK (btrim(name) <> ''),
    CONSTRAINT ck_workspaces_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_workspaces_amount CHECK (amount >= 0),
    CONSTRAINT ck_workspaces_governance_rules CHECK (jsonb_typeof(governance_rules) = 'object')
);

CREATE INDEX idx_workspaces_organization_id ON workspaces (organization_id, created_at DESC, id DESC);
CREATE INDEX idx_workspaces_created_by_id ON workspaces (created_by_id, created_at DESC, id DESC);

SELECT grant_access('workspaces', writer => 'INSERT, UPDATE');
-- A synchronization is no edit of the workspace.
SELECT keep_versions('workspaces', ignoring => '{last_sync_at}');

-- The membership of a user in a workspace, with the role that the user has there.
CREATE TABLE workspace_members (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the membership.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user who is a member, of whatever organization.
    role workspace_role NOT NULL DEFAULT 'investor', -- The role of the member in this workspace.
    is_admin boolean NOT NULL DEFAULT false, -- Whether the member administers the workspace and may change its governance rules.
    status member_status NOT NULL DEFAULT 'pending', -- Where the membership stands; only an active one gives access.
    invited_at timestamptz NOT NULL DEFAULT now(), -- When the user was invited.
    joined_at timestamptz, -- When the user joined; NULL while the invitation is not accepted.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the membership was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the membership was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_workspace_members_user_workspace UNIQUE (user_id, workspace_id),
    CONSTRAINT ck_workspace_members_joined CHECK (status <> 'active' OR joined_at IS NOT NULL)
);

CREATE INDEX idx_workspace_members_workspace_id ON workspace_members (workspace_id, invited_at, id);
CREATE INDEX idx_workspace_members_user_id ON workspace_members (user_id, invited_at, id);
CREATE INDEX idx_workspace_members_access ON workspace_members (user_id, status, workspace_id);
CREATE INDEX idx_workspace_members_status ON workspace_members (status);

SELECT grant_access('workspace_members');
SELECT keep_versions('workspace_members');

-- A clause of the facility agreement, in the order in which the agreement has it.
CREATE TABLE clauses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the clause.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace whose agreement has the clause.
    title varchar(255) NOT NULL, -- The heading of the clause.
    body text NOT NULL, -- The text of the clause as it is drafted now.
    type clause_type NOT NULL, -- What the clause is about.
    order_index integer NOT NULL, -- The position of the clause in the agreement, counted upwards and unique in the workspace.
    is_sensitive boolean NOT NULL DEFAULT false, -- Whether the clause is commercially sensitive, so that edits may need a reason.
    is_locked boolean NOT NULL DEFAULT false, -- Whether the clause is locked, so that only the member who locked it can edit it.
    locked_by uuid REFERENCES users (id), -- The user who locked the clause; NULL when it is not locked.
    locked_at timestamptz, -- When the clause was locked; NULL when it is not locked.
    last_modified_at timestamptz NOT NULL DEFAULT now(), -- When the text of the clause was last edited.
    last_modified_by uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT, -- The user who last edited the text of the clause.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the clause was added.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the row was last changed in any way.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_clauses_id_workspace UNIQUE (id, workspace_id),
    CONSTRAINT uq_clauses_workspace_order UNIQUE (workspace_id, order_index) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT ck_clauses_title CHECK (btrim(title) <> ''),
    CONSTRAINT ck_clauses_order_index CHECK (order_index >= 0),
    CONSTRAINT ck_clauses_locked CHECK (is_locked = (locked_by IS NOT NULL) AND is_locked = (locked_at IS NOT NULL))
);

CREATE INDEX idx_clauses_workspace_id ON clauses (workspace_id, order_index, id);
CREATE INDEX idx_clauses_workspace_type ON clauses (workspace_id, type);
CREATE INDEX idx_clauses_type ON clauses (type);
CREATE INDEX idx_clauses_is_locked ON clauses (is_locked);
CREATE INDEX idx_clauses_locked_by ON clauses (locked_by, order_index, id) WHERE locked_by IS NOT NULL;
CREATE INDEX idx_clauses_last_modified_by ON clauses (last_modified_by, order_index, id);
CREATE INDEX idx_clauses_body_search ON clauses USING gin (to_tsvector('english', body));

SELECT grant_access('clauses');
-- Whether a clause has moved up or down because of another is no edit of it, so its version stays; the clause that was moved
-- is edited.
CREATE TRIGGER zz_count_version BEFORE UPDATE ON clauses
    FOR EACH ROW WHEN (current_setting('aether.renumbering', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION count_version();

-- A commercial or defined term bound in a clause, with its value as drafted and as agreed.
CREATE TABLE variables (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the variable.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of the clause.
    clause_id uuid NOT NULL, -- The clause in which the term stands.
    label varchar(255) NOT NULL, -- The name of the term, such as Margin or Leverage Ratio.
    type variable_type NOT NULL, -- What kind of term it is.
    value text NOT NULL, -- The value as drafted now, in the words of the agreement, such as 4.50:1.00 or USD 500,000,000.
    unit varchar(20), -- The unit of the value, such as %, bps or USD; NULL when it has none or the value names it.
    baseline_value text, -- The agreed value against which drift is measured; NULL when none has been agreed.
    last_modified_at timestamptz NOT NULL DEFAULT now(), -- When the value was last edited.
    last_modified_by uuid REFERENCES users (id) ON DELETE SET NULL, -- The user who last edited the value; NULL when it was never edited.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the variable was bound.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the row was last changed in any way.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_variables_id_workspace UNIQUE (id, workspace_id),
    CONSTRAINT fk_variables_clause FOREIGN KEY (clause_id, workspace_id) REFERENCES clauses (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT ck_variables_label CHECK (btrim(label) <> '')
);

CREATE INDEX idx_variables_workspace_id ON variables (workspace_id, label COLLATE natural_order, id);
CREATE INDEX idx_variables_clause_id ON variables (clause_id, label COLLATE natural_order, id);
CREATE INDEX idx_variables_type ON variables (type);
CREATE INDEX idx_variables_last_modified_by ON variables (last_modified_by, label COLLATE natural_order, id) WHERE last_modified_by IS NOT NULL;

SELECT grant_access('variables');
SELECT keep_versions('variables');

-- A covenant of the borrower: what is tested, how often and against which threshold.
CREATE TABLE covenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the covenant.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of the clause.
    clause_id uuid NOT NULL, -- The clause that sets the covenant out.
    name varchar(255) NOT NULL, -- The name of the covenant, such as Leverage Ratio.
    test_frequency varchar(100) NOT NULL, -- How often compliance is tested, such as Quarterly.
    threshold varchar(255) NOT NULL, -- The level that must be kept, in the words of the agreement, such as 4.50:1.00.
    calculation_basis text NOT NULL, -- How the tested figure is calculated, such as Total Net Debt to Adjusted EBITDA.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the covenant was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the covenant was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT fk_covenants_clause FOREIGN KEY (clause_id, workspace_id) REFERENCES clauses (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT ck_covenants_name CHECK (btrim(name) <> '')
);

CREATE INDEX idx_covenants_workspace_id ON covenants (workspace_id, name COLLATE natural_order, id);
CREATE INDEX idx_covenants_clause_id ON covenants (clause_id, name COLLATE natural_order, id);

SELECT grant_access('covenants');
SELECT keep_versions('covenants');

\i functions/renumber_clauses.sql

-- What a clause says by itself, as the last synchronization of the graph read it, so that only changed clauses are read again.
CREATE TABLE clause_readings (
    clause_id uuid PRIMARY KEY REFERENCES clauses (id) ON DELETE CASCADE, -- The clause.
    text_hash bytea NOT NULL, -- The SHA-256 hash of the title, the type and the text that were read.
    reading jsonb NOT NULL, -- The reading, as JSON.
    read_at timestamptz NOT NULL DEFAULT now() -- When the clause was read.
);

GRANT SELECT, INSERT, UPDATE, DELETE ON clause_readings TO aether_writer;
