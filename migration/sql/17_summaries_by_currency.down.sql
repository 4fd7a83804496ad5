-- The summaries as they were.
DROP MATERIALIZED VIEW mv_pipeline_summary;
DROP MATERIALIZED VIEW mv_kpi_summary;

-- The metrics of an organization by month, over the last 24 months; brought up to date every 5 minutes.
CREATE MATERIALIZED VIEW mv_kpi_summary AS
SELECT
    md5(concat_ws('/', organization_id, date_trunc('month', metric_date)::date, metric_type))::uuid AS id, -- The identifier of the summary, the same after every refresh.
    organization_id, -- The organization that the summary belongs to.
    date_trunc('month', metric_date)::date AS period, -- The first day of the month.
    metric_type, -- The metric.
    CASE WHEN is_additive(metric_type) THEN sum(actual_value) END::numeric(20,2) AS actual_total, -- The sum of the actual values, in the currency in which they are recorded; NULL for a ratio, which is never summed, or without actuals.
    CASE WHEN is_additive(metric_type) THEN sum(forecast_value) END::numeric(20,2) AS forecast_total, -- The sum of the forecast values, in the currency in which they are recorded; NULL for a ratio or without forecasts.
    CASE WHEN is_additive(metric_type) THEN sum(budget_value) END::numeric(20,2) AS budget_total, -- The sum of the budgeted values, in the currency in which they are recorded; NULL for a ratio or without budgets.
    avg(actual_value)::numeric(20,2) AS actual_avg, -- The unweighted mean of the actual values, in the unit of the metric; NULL without actuals.
    count(*)::integer AS data_points -- The number of recorded values.
FROM financial_metrics
WHERE metric_date >= (date_trunc('month', now()) - interval '24 months')::date
GROUP BY organization_id, date_trunc('month', metric_date)::date, metric_type;

CREATE UNIQUE INDEX idx_mv_kpi_summary ON mv_kpi_summary (organization_id, period, metric_type);
CREATE UNIQUE INDEX idx_mv_kpi_summary_id ON mv_kpi_summary (id);
CREATE INDEX idx_mv_kpi_summary_organization_id ON mv_kpi_summary (organization_id, period DESC, id DESC);

SELECT grant_access('mv_kpi_summary', writer => '');

-- The open pipeline of an organization by stage, region and segment; brought up to date every 5 minutes.
CREATE MATERIALIZED VIEW mv_pipeline_summary AS
SELECT
    md5(concat_ws('/', organization_id, stage, region, segment))::uuid AS id, -- The identifier of the summary, the same after every refresh.
    organization_id, -- The organization that the summary belongs to.
    stage, -- The stage of the deals, which is an open one.
    region, -- The sales region of the deals.
    segment, -- The customer segment of the deals.
    count(*)::integer AS deal_count, -- The number of open deals.
    sum(value)::numeric(20,2) AS total_value, -- The sum of the deal values, in the currency in which they are recorded.
    sum(weighted_value)::numeric(20,2) AS weighted_value, -- The sum of the deal values, each weighted by its probability, in the currency in which they are recorded.
    avg(days_in_pipeline)::numeric(12,2) AS avg_days_in_pipeline, -- The mean age of the deals in the pipeline, in days.
    avg(probability)::numeric(5,2) AS avg_probability -- The unweighted mean probability of closing, as a percent 0-100.
FROM deals
WHERE stage NOT IN ('Closed Won', 'Closed Lost')
GROUP BY organization_id, stage, region, segment;

CREATE UNIQUE INDEX idx_mv_pipeline_summary ON mv_pipeline_summary (organization_id, stage, region, segment);
CREATE UNIQUE INDEX idx_mv_pipeline_summary_id ON mv_pipeline_summary (id);

SELECT grant_access('mv_pipeline_summary', writer => '');
