-- Brings what follows from values and drift up to date: the values and drift of the nodes of some clauses (of all, if none are
-- named) and the warnings of sensitive clauses that drift. It writes only what differs, and tells what the integrity and the golden
-- record's status follow from, which whoever calls it writes, and how they were. Whoever calls it has locked the workspace.
--
-- Rows are found by their keys, however many there are of other agreements: planned without knowing how few clauses are meant, whole
-- tables would be read. Where no clause is sensitive, no warning is looked for.
CREATE FUNCTION refresh_graph(
    of_workspace uuid,
    of_clauses uuid[],
    OUT nodes bigint,
    OUT with_drift bigint,
    OUT with_warning bigint,
    OUT score_before numeric,
    OUT record_id uuid,
    OUT record_score_before numeric,
    OUT status_before text,
    OUT high_drift integer
) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    of_all boolean := of_clauses IS NULL;
BEGIN
    IF of_all THEN
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
    -- Only of sensitive clauses do warnings follow from drift.
    IF of_all OR EXISTS (SELECT FROM clauses WHERE id = ANY (of_clauses) AND is_sensitive) OR EXISTS (
        SELECT FROM graph_nodes n JOIN graph_warnings w ON w.graph_node_id = n.id
         WHERE n.clause_id = ANY (of_clauses) AND w.kind = 'SENSITIVE_DRIFT') THEN
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
    END IF;

    SELECT coalesce(c.nodes, 0), coalesce(c.with_drift, 0), coalesce(c.with_warning, 0), s.integrity_score,
           g.id, g.integrity_score, g.status::text, g.unresolved_high_drift_count
      INTO nodes, with_drift, with_warning, score_before, record_id, record_score_before, status_before, high_drift
      FROM (VALUES (of_workspace)) w (id)
      LEFT JOIN graph_node_counts c ON c.workspace_id = w.id
      LEFT JOIN graph_state s ON s.workspace_id = w.id
      LEFT JOIN golden_records g ON g.workspace_id = w.id;
END
$$;
