DROP TABLE reconciliation_items;
DROP FUNCTION count_reconciliation_items();
DROP TABLE reconciliation_sessions;
DROP FUNCTION own_reconciliation_counters();
DROP TYPE reconciliation_file_type;
DROP TYPE reconciliation_decision;
DROP TYPE confidence_level;
