DROP TRIGGER refuse_audited_delete ON ai_actions;
DROP TRIGGER refuse_audited_delete ON user_sessions;
DROP TRIGGER refuse_audited_delete ON workspaces;
DROP TRIGGER refuse_audited_delete ON users;
DROP TRIGGER refuse_audited_delete ON organizations;
DROP FUNCTION refuse_audited_delete();
DROP TABLE audit_events;
DROP TYPE audit_event_type;
