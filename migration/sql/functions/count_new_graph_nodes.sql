CREATE FUNCTION count_new_graph_nodes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO graph_node_counts AS c (workspace_id, nodes, with_drift, with_warning)
    SELECT workspace_id, count(*), count(*) FILTER (WHERE has_drift), count(*) FILTER (WHERE has_warning)
      FROM coming GROUP BY workspace_id
    ON CONFLICT (workspace_id) DO UPDATE
       SET nodes = c.nodes + excluded.nodes, with_drift = c.with_drift + excluded.with_drift,
           with_warning = c.with_warning + excluded.with_warning;
    RETURN NULL;
END
$$;
