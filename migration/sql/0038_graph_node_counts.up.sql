-- The integrity of a workspace without counting its nodes: what it is made of is counted as nodes come, go and change.

-- How many nodes the graph of a workspace has, and how many of them have what lowers the integrity.
CREATE TABLE graph_node_counts (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace.
    nodes bigint NOT NULL, -- How many nodes there are.
    with_drift bigint NOT NULL, -- How many of them have unresolved drift.
    with_warning bigint NOT NULL -- How many of them have a warning.
);

GRANT SELECT, INSERT, UPDATE, DELETE ON graph_node_counts TO aether_writer;

INSERT INTO graph_node_counts (workspace_id, nodes, with_drift, with_warning)
SELECT workspace_id, count(*), count(*) FILTER (WHERE has_drift), count(*) FILTER (WHERE has_warning) FROM graph_nodes GROUP BY workspace_id;

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

CREATE FUNCTION count_changed_graph_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE graph_node_counts
       SET with_drift = with_drift + NEW.has_drift::integer - OLD.has_drift::integer,
           with_warning = with_warning + NEW.has_warning::integer - OLD.has_warning::integer
     WHERE workspace_id = NEW.workspace_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_new AFTER INSERT ON graph_nodes REFERENCING NEW TABLE AS coming
    FOR EACH STATEMENT EXECUTE FUNCTION count_new_graph_nodes();
CREATE TRIGGER count_gone AFTER DELETE ON graph_nodes REFERENCING OLD TABLE AS going
    FOR EACH STATEMENT EXECUTE FUNCTION count_gone_graph_nodes();
CREATE TRIGGER count_changed AFTER UPDATE OF has_drift, has_warning ON graph_nodes
    FOR EACH ROW WHEN ((OLD.has_drift, OLD.has_warning) IS DISTINCT FROM (NEW.has_drift, NEW.has_warning))
    EXECUTE FUNCTION count_changed_graph_node();

-- As before, but for the integrity, which is taken from the counts; and planned once for all calls on a connection.
CREATE OR REPLACE FUNCTION refresh_graph(
    of_workspace uuid,
    of_clauses uuid[],
    ready_from numeric,
    OUT state_id uuid,
    OUT score_before numeric,
    OUT score_after numeric,
    OUT record_id uuid,
    OUT record_score_before numeric,
    OUT status_before text,
    OUT status_after text
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF of_clauses IS NULL THEN
        of_clauses := ARRAY(SELECT id FROM clauses WHERE workspace_id = of_workspace);
        DELETE FROM graph_nodes WHERE workspace_id = of_workspace AND clause_id IS NULL;
    END IF;
    UPDATE graph_nodes n
       SET label = x.label, value = x.value, has_drift = x.has_drift, updated_at = now()
      FROM (
        SELECT v.id AS variable_id, v.label, v.value,
               EXISTS (SELECT FROM drift_items d WHERE d.variable_id = v.id AND d.status = 'unresolved') AS has_drift
          FROM variables v
         WHERE v.clause_id = ANY (of_clauses)
      ) x
     WHERE n.variable_id = x.variable_id
       AND (n.label, n.value, n.has_drift) IS DISTINCT FROM (x.label, x.value, x.has_drift);
    UPDATE graph_nodes n
       SET has_drift = NOT n.has_drift, updated_at = now()
     WHERE n.clause_id = ANY (of_clauses) AND n.variable_id IS NULL AND n.value IS NULL
       AND n.has_drift <> EXISTS (SELECT FROM drift_items d WHERE d.clause_id = n.clause_id AND d.status = 'unresolved');
    DELETE FROM graph_warnings w
     USING graph_nodes n, clauses c
     WHERE w.graph_node_id = n.id AND n.clause_id = c.id AND w.kind = 'SENSITIVE_DRIFT' AND c.id = ANY (of_clauses)
       AND NOT (c.is_sensitive AND n.has_drift AND n.variable_id IS NULL);
    INSERT INTO graph_warnings (workspace_id, graph_node_id, kind, subject, message)
    SELECT n.workspace_id, n.id, 'SENSITIVE_DRIFT', '', 'Is sensitive and has drift that nobody has settled.'
      FROM graph_nodes n JOIN clauses c ON c.id = n.clause_id
     WHERE c.id = ANY (of_clauses) AND c.is_sensitive AND n.has_drift AND n.variable_id IS NULL AND n.value IS NULL
    ON CONFLICT (graph_node_id, kind, subject) DO NOTHING;
    UPDATE graph_nodes n
       SET has_warning = NOT n.has_warning, updated_at = now()
     WHERE n.clause_id = ANY (of_clauses)
       AND n.has_warning <> EXISTS (SELECT FROM graph_warnings w WHERE w.graph_node_id = n.id);

    SELECT greatest(0, round(1 - (0.30 * with_drift + 0.20 * with_warning) / greatest(nodes, 1), 4))
      INTO score_after FROM graph_node_counts WHERE workspace_id = of_workspace;
    score_after := coalesce(score_after, 1);
    SELECT id, integrity_score INTO state_id, score_before FROM graph_state WHERE workspace_id = of_workspace;
    INSERT INTO graph_state (workspace_id, integrity_score, last_computed_at) VALUES (of_workspace, score_after, now())
    ON CONFLICT (workspace_id) DO UPDATE SET integrity_score = excluded.integrity_score, last_computed_at = excluded.last_computed_at
    RETURNING id INTO state_id;

    SELECT id, integrity_score, status::text,
           CASE WHEN score_after >= ready_from AND unresolved_high_drift_count = 0 THEN 'READY' ELSE 'IN_REVIEW' END
      INTO record_id, record_score_before, status_before, status_after
      FROM golden_records WHERE workspace_id = of_workspace;
    UPDATE golden_records SET integrity_score = score_after, status = status_after::golden_record_status
     WHERE id = record_id AND (record_score_before, status_before) IS DISTINCT FROM (score_after, status_after);
END
$$;

ALTER FUNCTION link_variables SET plan_cache_mode = force_generic_plan;

-- Whether a golden record has changed is asked without its document, which grows with the agreement, unless that is what is written.
CREATE FUNCTION count_golden_record_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a client sends in these two columns never counts.
    NEW.row_version := OLD.row_version;
    NEW.updated_at := OLD.updated_at;
    IF (NEW.id, NEW.workspace_id, NEW.status, NEW.integrity_score, NEW.last_export_at, NEW.last_publish_at, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.workspace_id, OLD.status, OLD.integrity_score, OLD.last_export_at, OLD.last_publish_at, OLD.created_at) THEN
        NEW.row_version := OLD.row_version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION count_golden_record_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.row_version := OLD.row_version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

DROP TRIGGER zz_count_version ON golden_records;
CREATE TRIGGER zz_count_version BEFORE UPDATE ON golden_records FOR EACH ROW EXECUTE FUNCTION count_golden_record_version();
-- Its name sorts behind the other's, which would take the version back.
CREATE TRIGGER zz_count_version_of_document BEFORE UPDATE OF schema_json ON golden_records FOR EACH ROW
    WHEN (NEW.schema_json IS DISTINCT FROM OLD.schema_json) EXECUTE FUNCTION count_golden_record_document();
