ALTER TABLE integration_syncs DROP CONSTRAINT ex_integration_syncs_running;
ALTER TABLE integration_syncs DROP COLUMN leased_until;
