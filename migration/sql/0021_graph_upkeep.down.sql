DROP FUNCTION refresh_graph(uuid, uuid[], numeric);
DROP FUNCTION link_variables(uuid, uuid[]);
DROP TRIGGER zz_count_version ON workspaces;
SELECT keep_versions('workspaces');
