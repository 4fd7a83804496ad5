-- Whether the values of a metric may be summed up. Ratios and per-customer figures may not.
CREATE FUNCTION is_additive(metric metric_type) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN metric NOT IN ('GROSS_MARGIN', 'NRR', 'CHURN_RATE', 'CAC', 'LTV');
