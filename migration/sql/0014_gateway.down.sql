DROP TABLE idempotency_keys;
DROP TABLE event_outbox;
DROP TYPE idempotency_status;
