CREATE FUNCTION count_gone_graph_nodes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE graph_node_counts c
       SET nodes = c.nodes - g.nodes, with_drift = c.with_drift - g.with_drift, with_warning = c.with_warning - g.with_warning
      FROM (
        SELECT workspace_id, count(*) AS nodes, count(*) FILTER (WHERE has_drift) AS with_drift,
               count(*) FILTER (WHERE has_warning) AS with_warning
          FROM going GROUP BY workspace_id
      ) g
     WHERE c.workspace_id = g.workspace_id;
    RETURN NULL;
END
$$;
