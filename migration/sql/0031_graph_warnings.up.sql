-- In the graph, `nodeId` is the global id that every type has: the node of a warning needs a name of its own.
ALTER TABLE graph_warnings RENAME COLUMN node_id TO graph_node_id;
ALTER INDEX idx_graph_warnings_node_id RENAME TO idx_graph_warnings_graph_node_id;

-- The function names the column; all else in it stays as it is.
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('refresh_graph(uuid, uuid[], numeric)'::regprocedure), 'node_id', 'graph_node_id');
END
$$;
