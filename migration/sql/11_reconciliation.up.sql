-- Markups that come back from the other side, and what became of each proposed change.

-- How sure the matching of an incoming change to a clause or variable is.
CREATE TYPE confidence_level AS ENUM (
    'HIGH', -- The match is clear.
    'MEDIUM', -- The match is likely and should be checked.
    'LOW' -- The match is a guess and must be checked.
);

-- What was decided about a proposed change.
CREATE TYPE reconciliation_decision AS ENUM (
    'pending', -- Nobody has decided yet.
    'applied', -- The proposed value was taken into the draft.
    'rejected' -- The proposed value was turned down.
);

-- The file format of an uploaded markup.
CREATE TYPE reconciliation_file_type AS ENUM (
    'docx', -- A Word document.
    'pdf' -- A PDF document.
);

-- An uploaded markup of the agreement, whose proposed changes are reconciled with the draft one by one.
CREATE TABLE reconciliation_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the session.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace whose agreement is marked up.
    file_name varchar(255) NOT NULL, -- The name of the uploaded file.
    file_type reconciliation_file_type NOT NULL, -- The format of the uploaded file.
    uploaded_at timestamptz NOT NULL DEFAULT now(), -- When the markup was uploaded.
    uploaded_by uuid NOT NULL REFERENCES users (id), -- The user who uploaded the markup.
    total_items integer NOT NULL DEFAULT 0, -- The number of proposed changes, kept by the database.
    applied_count integer NOT NULL DEFAULT 0, -- The number of changes taken into the draft, kept by the database.
    rejected_count integer NOT NULL DEFAULT 0, -- The number of changes turned down, kept by the database.
    pending_count integer NOT NULL DEFAULT 0, -- The number of changes still to be decided, kept by the database.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the session was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the session was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_reconciliation_sessions_id_workspace UNIQUE (id, workspace_id),
    CONSTRAINT ck_reconciliation_sessions_file_name CHECK (btrim(file_name) <> ''),
    CONSTRAINT ck_reconciliation_sessions_counts CHECK (
        applied_count >= 0 AND rejected_count >= 0 AND pending_count >= 0
        AND total_items = applied_count + rejected_count + pending_count
    )
);

CREATE INDEX idx_reconciliation_sessions_workspace_id ON reconciliation_sessions (workspace_id, uploaded_at DESC, id DESC);
CREATE INDEX idx_reconciliation_sessions_uploaded_by ON reconciliation_sessions (uploaded_by, uploaded_at DESC, id DESC);
CREATE INDEX idx_reconciliation_sessions_file_type ON reconciliation_sessions (file_type);

SELECT grant_access('reconciliation_sessions');
-- A decision on an item is no edit of the session.
SELECT keep_versions('reconciliation_sessions', ignoring => '{total_items,applied_count,rejected_count,pending_count}');

-- A change that a markup proposes, matched to the clause or variable that it concerns.
CREATE TABLE reconciliation_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the proposed change.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of session and targets.
    session_id uuid NOT NULL, -- The session, that is the markup, that proposes the change.
    incoming_snippet text NOT NULL, -- The passage of the markup from which the change was read.
    target_clause_id uuid NOT NULL, -- The clause that the change concerns.
    target_variable_id uuid, -- The variable that the change concerns; NULL when it is the text of the clause or once the variable is deleted.
    confidence confidence_level NOT NULL, -- How sure the match is.
    baseline_value text NOT NULL, -- The agreed value when the markup was uploaded.
    current_value text NOT NULL, -- The drafted value when the markup was uploaded.
    proposed_value text NOT NULL, -- The value that the markup proposes.
    decision reconciliation_decision NOT NULL DEFAULT 'pending', -- What was decided.
    decision_reason text, -- Why it was decided so; NULL while pending or when no reason was given.
    decided_by uuid REFERENCES users (id) ON DELETE SET NULL, -- The user who decided; NULL while pending.
    decided_at timestamptz, -- When it was decided; NULL while pending.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the change was read from the markup.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the item was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT fk_reconciliation_items_session FOREIGN KEY (session_id, workspace_id) REFERENCES reconciliation_sessions (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT fk_reconciliation_items_target_clause FOREIGN KEY (target_clause_id, workspace_id) REFERENCES clauses (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT fk_reconciliation_items_target_variable FOREIGN KEY (target_variable_id, workspace_id) REFERENCES variables (id, workspace_id) ON DELETE SET NULL (target_variable_id),
    CONSTRAINT ck_reconciliation_items_decided CHECK ((decision = 'pending') = (decided_at IS NULL))
);

CREATE INDEX idx_reconciliation_items_workspace_id ON reconciliation_items (workspace_id, created_at, id);
CREATE INDEX idx_reconciliation_items_session_id ON reconciliation_items (session_id, created_at, id);
CREATE INDEX idx_reconciliation_items_target_clause_id ON reconciliation_items (target_clause_id, created_at, id);
CREATE INDEX idx_reconciliation_items_target_variable_id ON reconciliation_items (target_variable_id, created_at, id);
CREATE INDEX idx_reconciliation_items_decided_by ON reconciliation_items (decided_by, created_at, id) WHERE decided_by IS NOT NULL;
CREATE INDEX idx_reconciliation_items_decision ON reconciliation_items (decision);
CREATE INDEX idx_reconciliation_items_confidence ON reconciliation_items (confidence);

SELECT grant_access('reconciliation_items');
SELECT keep_versions('reconciliation_items');

\i functions/own_reconciliation_counters.sql

CREATE TRIGGER own_counters BEFORE INSERT OR UPDATE ON reconciliation_sessions
    FOR EACH ROW EXECUTE FUNCTION own_reconciliation_counters();

\i functions/count_reconciliation_items.sql

CREATE TRIGGER count_inserted AFTER INSERT ON reconciliation_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_reconciliation_items();
CREATE TRIGGER count_updated AFTER UPDATE ON reconciliation_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_reconciliation_items();
CREATE TRIGGER count_deleted AFTER DELETE ON reconciliation_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_reconciliation_items();
