import type { KpisQuery, MetricType } from '../gql/graphql';
import { number } from '../parts/format';

type Summary = NonNullable<KpisQuery['kpiSummaries']>['nodes'][number];

/** Metrics of which less is better. */
const COSTS: MetricType[] = ['OPERATING_EXPENSE', 'CAC', 'CHURN_RATE'];
/** Metrics in percent; the others are amounts. */
const PERCENTAGES: MetricType[] = ['GROSS_MARGIN', 'NRR', 'CHURN_RATE'];

export const isCost = (metric: MetricType) => COSTS.includes(metric);
export const isPercentage = (metric: MetricType) => PERCENTAGES.includes(metric);

export interface Kpi {
  metric: MetricType;
  /** The months with actual values, oldest first. */
  trend: { period: string; value: number }[];
  /** The latest month. */
  period: string;
  value: number;
  /** The change against the month before, a ratio; null without one. */
  change: number | null;
  /** Actual less budget, relative to the budget; null without a budget. */
  variance: number | null;
}

const actual = (summary: Summary) => number(summary.actualTotal ?? summary.actualAvg);

/** The metrics in the order in which they are shown. */
const ORDER: MetricType[] = [
  'REVENUE',
  'ARR',
  'MRR',
  'EBITDA',
  'GROSS_MARGIN',
  'OPERATING_EXPENSE',
  'NET_INCOME',
  'CASH_FLOW',
  'NRR',
  'CHURN_RATE',
  'CAC',
  'LTV',
];

/** The latest month of each metric, with the months before it. */
export function kpis(summaries: Summary[]): Kpi[] {
  const byMetric = Map.groupBy(summaries, ({ metricType }) => metricType);
  return ORDER.flatMap((metric) => {
    const months = byMetric.get(metric) ?? [];
    const known = months.flatMap((month) => {
      const value = actual(month);
      return value === null ? [] : [{ period: month.period, value, budget: number(month.budgetTotal) }];
    });
    const latest = known.at(-1);
    if (!latest) return [];
    const before = known.at(-2);
    return [
      {
        metric,
        trend: known,
        period: latest.period,
        value: latest.value,
        change: before?.value ? (latest.value - before.value) / Math.abs(before.value) : null,
        variance: latest.budget ? (latest.value - latest.budget) / Math.abs(latest.budget) : null,
      },
    ];
  });
}

/** The first day of the month so many months ago. */
export function monthsAgo(months: number) {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10);
}
