DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('refresh_graph(uuid, uuid[], numeric)'::regprocedure), 'graph_node_id', 'node_id');
END
$$;
ALTER INDEX idx_graph_warnings_graph_node_id RENAME TO idx_graph_warnings_node_id;
ALTER TABLE graph_warnings RENAME COLUMN graph_node_id TO node_id;
