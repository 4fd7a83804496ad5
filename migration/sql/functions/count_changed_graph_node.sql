CREATE FUNCTION count_changed_graph_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE graph_node_counts
       SET with_drift = with_drift + NEW.has_drift::integer - OLD.has_drift::integer,
           with_warning = with_warning + NEW.has_warning::integer - OLD.has_warning::integer
     WHERE workspace_id = NEW.workspace_id;
    RETURN NULL;
END
$$;
