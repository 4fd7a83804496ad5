DROP TABLE drift_items;
DROP TABLE graph_state;
DROP TABLE graph_edges;
DROP TABLE graph_nodes;
DROP TYPE reason_category;
DROP TYPE drift_status;
DROP TYPE drift_severity;
DROP TYPE node_type;
