-- A synchronization is carried out by one gateway at a time, which holds a lease on it, and each integration has one at most.

ALTER TABLE integration_syncs ADD COLUMN leased_until timestamptz; -- Until when the gateway that carries the synchronization out is given to end it; NULL while none has taken it up. Bookkeeping of the gateways, never readable.

ALTER TABLE integration_syncs ADD CONSTRAINT ex_integration_syncs_running EXCLUDE (integration_id WITH =) WHERE (status = 'running');
