-- Refuses to delete what an audit row refers to, also where no foreign key could say so: the actor of audit_logs is a user or
-- an action of the assistant, and a session is only named.
CREATE FUNCTION refuse_audited_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    audited boolean;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'organizations' THEN
            audited := EXISTS (SELECT FROM audit_logs WHERE organization_id = OLD.id);
        WHEN 'users' THEN
            audited := EXISTS (SELECT FROM audit_logs WHERE actor_id = OLD.id)
                OR EXISTS (SELECT FROM audit_logs WHERE reviewed_by = OLD.id)
                OR EXISTS (SELECT FROM audit_events WHERE actor_id = OLD.id);
        WHEN 'workspaces' THEN
            audited := EXISTS (SELECT FROM audit_events WHERE workspace_id = OLD.id);
        WHEN 'user_sessions' THEN
            audited := EXISTS (SELECT FROM audit_logs WHERE session_id = OLD.id)
                OR EXISTS (SELECT FROM audit_events WHERE session_id = OLD.id);
        WHEN 'ai_actions' THEN
            audited := EXISTS (SELECT FROM audit_logs WHERE actor_id = OLD.id);
    END CASE;
    IF audited THEN
        RAISE EXCEPTION 'the audit trail refers to this row of %: DELETE is refused', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
