import type { KpisQuery, MetricType, ReportingPeriod } from '../gql/graphql';
import { compact, month, number } from '../parts/format';

/** A metric in the last period that has ended, in one currency. */
export type Kpi = NonNullable<KpisQuery['kpis']>[number];

/** Metrics in percent; the others are amounts. */
const PERCENTAGES: MetricType[] = ['GROSS_MARGIN', 'NRR', 'CHURN_RATE'];

export const isPercentage = (metric: MetricType) => PERCENTAGES.includes(metric);

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

/** Those with a value, in order; the larger first of several currencies. */
export function inOrder(kpis: Kpi[]): Kpi[] {
  const known = kpis.filter(({ value }) => value != null);
  const place = ({ metricType }: Kpi) => ORDER.indexOf(metricType);
  return known.sort((a, b) => place(a) - place(b) || Number(b.value) - Number(a.value));
}

/** A value in the unit of its metric. */
export const inUnit = ({ unit }: { unit: Kpi['unit'] }, value: string) =>
  unit === 'PERCENT' ? `${Number(value).toFixed(1)}%` : compact(Number(value));

const SIGNED = new Intl.NumberFormat('en', { maximumFractionDigits: 1, signDisplay: 'exceptZero' });
const POINTS = new Intl.NumberFormat('en', { maximumFractionDigits: 2, signDisplay: 'exceptZero' });

/** A difference: of percentages in points, of others in percent. */
export const differenceOf = (
  { unit }: { unit: Kpi['unit'] },
  { difference, percent }: { difference: string; percent?: string | null },
) =>
  unit === 'PERCENT'
    ? `${POINTS.format(Number(difference))} pts`
    : percent != null
      ? `${SIGNED.format(Number(percent))}%`
      : compact(Number(difference));

/** How long a time figures are for. */
export const PERIODS: Record<ReportingPeriod, string> = {
  MONTH: 'Month',
  QUARTER: 'Quarter',
  YEAR: 'Fiscal year',
  YEAR_TO_DATE: 'Year to date',
  LAST_TWELVE_MONTHS: 'Last 12 months',
};

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });

/** A period in words: a month by its name, others by their days. */
export function periodOf({ first, last }: { first: string; last: string }) {
  const isMonth = first.slice(0, 7) === last.slice(0, 7);
  return isMonth ? month(first) : DAY.formatRange(new Date(first), new Date(last));
}

/** The months with a value, for a picture. */
export const trend = (kpi: Kpi) =>
  kpi.series.flatMap((point) => {
    const value = number(point.value);
    return value === null ? [] : [{ period: point.period.first, value }];
  });

/** The first day of the month so many months ago. */
export function monthsAgo(months: number) {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10);
}
