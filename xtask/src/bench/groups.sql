-- A million metrics of a kind that no other query of the benchmark asks for, by day, region and product, over the two years before the last.

INSERT INTO financial_metrics (organization_id, metric_date, metric_type, region, lob, product, actual_value, currency, source_system)
SELECT u.organization_id, d.day::date, 'CASH_FLOW', r.name, 'Software', format('Benchmark product %s', p), 1000 + (p * 37 + extract(day FROM d.day)::int) % 977, 'USD', 'benchmark'
  FROM bench_user u, generate_series(date_trunc('month', now()) - interval '33 months', date_trunc('month', now()) - interval '10 months', interval '1 day') d(day),
       (VALUES ('North America'), ('Europe'), ('Middle East'), ('Asia Pacific'), ('Latin America')) r(name), generate_series(1, 286) p
 WHERE NOT EXISTS (SELECT FROM financial_metrics WHERE source_system = 'benchmark');
