DROP FUNCTION renumber_clauses(uuid, uuid, integer);
DROP TRIGGER zz_count_version ON clauses;
SELECT keep_versions('clauses');
