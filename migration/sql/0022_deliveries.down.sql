DROP TRIGGER zz_count_version ON downstream_connectors;
SELECT keep_versions('downstream_connectors');
