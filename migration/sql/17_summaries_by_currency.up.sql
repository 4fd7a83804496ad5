-- The summaries by currency: amounts of several are never added, and a total that stands beside its parts is counted once.

DROP MATERIALIZED VIEW mv_kpi_summary;
DROP MATERIALIZED VIEW mv_pipeline_summary;

-- The metrics of an organization by month and currency, over the last 24 months; brought up to date every 5 minutes. Where a total is recorded beside its parts, the total counts.
CREATE MATERIALIZED VIEW mv_kpi_summary AS
SELECT
    md5(concat_ws('/', organization_id, period, metric_type, currency))::uuid AS id, -- The identifier of the summary, the same after every refresh.
    organization_id, -- The organization that the summary belongs to.
    period, -- The first day of the month.
    metric_type, -- The metric.
    currency, -- The currency of the values, as an ISO 4217 code.
    CASE WHEN is_additive(metric_type) THEN sum(actual) END::numeric(30,2) AS actual_total, -- The sum of the actual values; NULL for a ratio, which is never summed, or without actuals.
    CASE WHEN is_additive(metric_type) THEN sum(forecast) END::numeric(30,2) AS forecast_total, -- The sum of the forecast values; NULL for a ratio or without forecasts.
    CASE WHEN is_additive(metric_type) THEN sum(budget) END::numeric(30,2) AS budget_total, -- The sum of the budgeted values; NULL for a ratio or without budgets.
    avg(actual)::numeric(20,2) AS actual_avg, -- The unweighted mean of the actual values, in the unit of the metric; NULL without actuals. Weighted, a ratio is told by kpis.
    avg(forecast)::numeric(20,2) AS forecast_avg, -- The unweighted mean of the forecast values, in the unit of the metric; NULL without forecasts.
    avg(budget)::numeric(20,2) AS budget_avg, -- The unweighted mean of the budgeted values, in the unit of the metric; NULL without budgets.
    count(*)::integer AS data_points -- The number of recorded values.
FROM (
    WITH recorded AS (
        SELECT *, date_trunc('month', metric_date::timestamp)::date AS period,
               (region IS NULL)::int + 2 * (lob IS NULL)::int + 4 * (product IS NULL)::int AS level
          FROM financial_metrics
         WHERE metric_date >= (date_trunc('month', now()) - interval '24 months')::date
    ), divided AS MATERIALIZED (
        -- Where all is recorded alike nothing stands beneath anything.
        SELECT organization_id, metric_type FROM recorded GROUP BY 1, 2 HAVING min(level) <> max(level)
    ), several AS MATERIALIZED (
        SELECT r.* FROM recorded r JOIN divided USING (organization_id, metric_type)
    ), levels AS MATERIALIZED (
        SELECT DISTINCT organization_id, metric_type, level FROM several
    ), beneath AS (
        SELECT r.id, bool_or(t.actual_value IS NOT NULL) AS actual, bool_or(t.forecast_value IS NOT NULL) AS forecast,
               bool_or(t.budget_value IS NOT NULL) AS budget
          FROM several r
          JOIN levels l ON l.organization_id = r.organization_id AND l.metric_type = r.metric_type
               AND l.level & r.level = r.level AND l.level <> r.level
          JOIN several t ON t.organization_id = r.organization_id AND t.metric_type = r.metric_type AND t.level = l.level
               AND t.period = r.period AND t.currency = r.currency
               AND coalesce(t.region, '') = CASE WHEN l.level & 1 = 0 THEN r.region ELSE '' END
               AND coalesce(t.lob, '') = CASE WHEN l.level & 2 = 0 THEN r.lob ELSE '' END
               AND coalesce(t.product, '') = CASE WHEN l.level & 4 = 0 THEN r.product ELSE '' END
         GROUP BY r.id
    )
    SELECT r.organization_id, r.period, r.metric_type, r.currency,
           CASE WHEN b.actual IS NOT TRUE AND (r.metric_type NOT IN ('ARR', 'MRR')
                OR r.metric_date = max(r.metric_date) FILTER (WHERE r.actual_value IS NOT NULL) OVER series)
                THEN r.actual_value END AS actual,
           CASE WHEN b.forecast IS NOT TRUE AND (r.metric_type NOT IN ('ARR', 'MRR')
                OR r.metric_date = max(r.metric_date) FILTER (WHERE r.forecast_value IS NOT NULL) OVER series)
                THEN r.forecast_value END AS forecast,
           CASE WHEN b.budget IS NOT TRUE AND (r.metric_type NOT IN ('ARR', 'MRR')
                OR r.metric_date = max(r.metric_date) FILTER (WHERE r.budget_value IS NOT NULL) OVER series)
                THEN r.budget_value END AS budget
      FROM recorded r LEFT JOIN beneath b USING (id)
    -- Of what there is in a month, the last that is recorded counts.
    WINDOW series AS (PARTITION BY r.organization_id, r.period, r.metric_type, r.currency, r.region, r.lob, r.product)
) counted
GROUP BY organization_id, period, metric_type, currency;

CREATE UNIQUE INDEX idx_mv_kpi_summary ON mv_kpi_summary (organization_id, period, metric_type, currency);
CREATE UNIQUE INDEX idx_mv_kpi_summary_id ON mv_kpi_summary (id);
CREATE INDEX idx_mv_kpi_summary_organization_id ON mv_kpi_summary (organization_id, period DESC, id DESC);

SELECT grant_access('mv_kpi_summary', writer => '');

-- The open pipeline of an organization by stage, region, segment and currency; brought up to date every 5 minutes.
CREATE MATERIALIZED VIEW mv_pipeline_summary AS
SELECT
    md5(concat_ws('/', organization_id, stage, region, segment, currency))::uuid AS id, -- The identifier of the summary, the same after every refresh.
    organization_id, -- The organization that the summary belongs to.
    stage, -- The stage of the deals, which is an open one.
    region, -- The sales region of the deals.
    segment, -- The customer segment of the deals.
    currency, -- The currency of the values, as an ISO 4217 code.
    count(*)::integer AS deal_count, -- The number of open deals.
    sum(value)::numeric(30,2) AS total_value, -- The sum of the deal values.
    sum(weighted_value)::numeric(30,2) AS weighted_value, -- The sum of the deal values, each weighted by its probability.
    avg(days_in_pipeline)::numeric(12,2) AS avg_days_in_pipeline, -- The mean age of the deals in the pipeline, in days.
    avg(probability)::numeric(5,2) AS avg_probability -- The unweighted mean probability of closing, as a percent 0-100.
FROM deals
WHERE stage NOT IN ('Closed Won', 'Closed Lost')
GROUP BY organization_id, stage, region, segment, currency;

CREATE UNIQUE INDEX idx_mv_pipeline_summary ON mv_pipeline_summary (organization_id, stage, region, segment, currency);
CREATE UNIQUE INDEX idx_mv_pipeline_summary_id ON mv_pipeline_summary (id);

SELECT grant_access('mv_pipeline_summary', writer => '');
