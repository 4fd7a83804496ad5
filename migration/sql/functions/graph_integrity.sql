-- The integrity of a dependency graph, from 0 to 1 with four decimals: each share of its nodes that drift or are warned of takes from
-- it by its weight. The same as aether_domain::graph::integrity, which a test holds against it.
CREATE FUNCTION graph_integrity(nodes bigint, with_drift bigint, with_warning bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(0, round(1 - (0.30 * with_drift + 0.20 * with_warning) / greatest(nodes, 1), 4));
