-- The audit trail of the workspaces, and what keeps alive whatever an audit row refers to.

-- What was done in a workspace.
CREATE TYPE audit_event_type AS ENUM (
    'LOGIN', -- A user has signed in.
    'LOGOUT', -- A user has signed out.
    'WORKSPACE_CREATE', -- A workspace was opened.
    'INVITE_SENT', -- A user was invited to the workspace.
    'ROLE_CHANGED', -- A member was given another role.
    'MEMBER_REMOVED', -- A member was removed from the workspace.
    'CLAUSE_EDIT', -- A clause was added, edited or deleted.
    'VARIABLE_EDIT', -- The value of a variable was edited.
    'VARIABLE_BIND', -- A variable was bound to a clause.
    'GRAPH_SYNC', -- The dependency graph was synchronized with the text.
    'DRIFT_OVERRIDE', -- The agreed baseline has taken the drafted value.
    'DRIFT_REVERT', -- The draft has gone back to the agreed baseline.
    'DRIFT_APPROVE', -- Risk has accepted a deviation.
    'RECON_APPLY', -- A proposed change of a markup was taken into the draft.
    'RECON_REJECT', -- A proposed change of a markup was turned down.
    'PUBLISH', -- The golden record was published.
    'EXPORT_JSON', -- The golden record was exported.
    'EXPORT_AUDIT', -- The audit trail was exported.
    'GOVERNANCE_UPDATED', -- The governance rules of the workspace were changed.
    'SECTION_LOCKED', -- A clause was locked.
    'SECTION_UNLOCKED' -- A clause was unlocked.
);

-- An entry in the audit trail of the loan workspaces, which nobody can change or delete.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the entry.
    workspace_id uuid REFERENCES workspaces (id), -- The workspace in which it was done; NULL when it was done outside of one.
    "timestamp" timestamptz NOT NULL DEFAULT now(), -- When it was done.
    actor_id uuid NOT NULL REFERENCES users (id), -- The user who did it.
    actor_name varchar(255) NOT NULL, -- The name of that user at the time.
    event_type audit_event_type NOT NULL, -- What was done.
    target_type text, -- What kind of thing it was done to, such as clause or drift_item; NULL when there was none.
    target_id uuid, -- The identifier of the thing it was done to; NULL when there was none.
    before_state jsonb, -- The thing before, as JSON; NULL when it is new or nothing was changed.
    after_state jsonb, -- The thing after, as JSON; NULL when it is gone or nothing was changed.
    reason text, -- The reason that the actor gave; NULL when none was given.
    reason_category reason_category, -- The kind of that reason; NULL when none was given.
    request_id uuid, -- The request in which it was done, which links the entries of one request; NULL when there was none.
    session_id uuid, -- The user session in which it was done; NULL when there was none.
    ip_address inet, -- The network address from which it was done; NULL when unknown.
    user_agent text -- The client program with which it was done, as it names itself; NULL when unknown.
);

CREATE INDEX idx_audit_events_workspace_id ON audit_events (workspace_id, "timestamp" DESC, id DESC);
CREATE INDEX idx_audit_events_actor_id ON audit_events (actor_id, "timestamp" DESC, id DESC);
CREATE INDEX idx_audit_events_session_id ON audit_events (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX idx_audit_events_event_type ON audit_events (event_type);
CREATE INDEX idx_audit_events_target ON audit_events (target_id, "timestamp" DESC, id DESC) WHERE target_id IS NOT NULL;
CREATE INDEX idx_audit_events_timestamp ON audit_events ("timestamp" DESC, id DESC);

SELECT grant_access('audit_events', writer => 'INSERT');

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT refuse_truncate_on('audit_events');

\i functions/refuse_audited_delete.sql

CREATE TRIGGER refuse_audited_delete BEFORE DELETE ON organizations
    FOR EACH ROW EXECUTE FUNCTION refuse_audited_delete();
CREATE TRIGGER refuse_audited_delete BEFORE DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION refuse_audited_delete();
CREATE TRIGGER refuse_audited_delete BEFORE DELETE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION refuse_audited_delete();
CREATE TRIGGER refuse_audited_delete BEFORE DELETE ON user_sessions
    FOR EACH ROW EXECUTE FUNCTION refuse_audited_delete();
CREATE TRIGGER refuse_audited_delete BEFORE DELETE ON ai_actions
    FOR EACH ROW EXECUTE FUNCTION refuse_audited_delete();
