-- That a connector has taken a delivery is no edit of the connector: whoever configures it must not be told that it changed.
DROP TRIGGER zz_count_version ON downstream_connectors;
SELECT keep_versions('downstream_connectors', ignoring => '{last_sync_at}');
