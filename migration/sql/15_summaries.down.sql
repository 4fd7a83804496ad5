-- The partitions stay: they belong to their tables and go with them.
DROP FUNCTION refresh_pipeline_summary();
DROP FUNCTION refresh_kpi_summary();
DROP MATERIALIZED VIEW mv_pipeline_summary;
DROP MATERIALIZED VIEW mv_kpi_summary;
DROP FUNCTION is_additive(metric_type);
