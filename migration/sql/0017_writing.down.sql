DROP INDEX idx_audit_events_target;
ALTER TABLE idempotency_keys DROP COLUMN changed;
DROP TABLE delivery_attempts;
DROP TABLE connector_deliveries;
DROP TYPE delivery_status;
ALTER TABLE downstream_connectors DROP COLUMN url, DROP COLUMN sealed_secret;
DROP TABLE clause_readings;
DROP TABLE graph_warnings;
DROP TYPE graph_warning_kind;
DROP INDEX uq_drift_items_open_variable;
ALTER TABLE drift_items
    DROP COLUMN override_requested_by, DROP COLUMN override_requested_at, DROP COLUMN override_reason, DROP COLUMN override_category;
DROP TABLE user_recovery_codes;
DROP TABLE user_invitations;
ALTER TABLE users DROP COLUMN mfa_pending_secret, DROP COLUMN mfa_last_step;
