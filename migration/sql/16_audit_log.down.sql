-- The audit rows stay; what sealed them goes, and begins anew when the change is made again.
DROP TRIGGER enqueue_audit_rows ON audit_events;
DROP TRIGGER enqueue_audit_rows ON audit_logs;
DROP FUNCTION enqueue_audit_rows();
DROP TABLE audit_tree_heads;
DROP TABLE audit_nodes;
DROP TABLE audit_leaves;
DROP TABLE audit_pending;
DROP FUNCTION refuse_unsealed();
