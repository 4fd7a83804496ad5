import type { MetricSeriesQuery } from '../gql/graphql';
import { number } from '../parts/format';

type Row = NonNullable<MetricSeriesQuery['financialMetrics']>['nodes'][number];
type Anomaly = NonNullable<MetricSeriesQuery['anomalies']>['nodes'][number];

export interface Point {
  date: string;
  actual: number | null;
  forecast: number | null;
  budget: number | null;
  /** The confidence interval of the forecast. */
  band: [number, number] | null;
  /** The actual value where an anomaly begins. */
  mark: number | null;
  anomalies: Anomaly[];
}

export interface Series {
  region: string;
  /** The line of business, with the product if there is one. */
  line: string;
  currency: string;
  points: Point[];
}

type Kpi = NonNullable<MetricSeriesQuery['kpis']>[number];

const NOWHERE = 'All regions';
const ALL_LINES = 'All lines';
const lineOf = ({ lob, product }: Row) => [lob, product].filter(Boolean).join(' · ') || ALL_LINES;

/** The totals as the gateway tells them, one for each currency; then the rows by region and line, those with anomalies first, and the largest of them. */
export function series(data: MetricSeriesQuery): Series[] {
  const totals = (data.kpis ?? []).map((kpi, _, all) => total(kpi, all.length > 1, data.anomalies?.nodes ?? []));
  const parts = slices(data).filter(({ region, line }) => region !== NOWHERE || line !== ALL_LINES);
  return [...totals.filter(({ points }) => points.length > 0), ...parts];
}

function total({ currency, series }: Kpi, isOneOfMany: boolean, anomalies: Anomaly[]): Series {
  const points = series.flatMap(({ period, value, budget, forecast }) => {
    const told = { actual: number(value), budget: number(budget), forecast: number(forecast) };
    if (told.actual === null && told.budget === null && told.forecast === null) return [];
    const here = anomalies.filter(
      ({ affectedPeriodStart }) => affectedPeriodStart?.slice(0, 7) === period.first.slice(0, 7),
    );
    const mark = here.length > 0 ? (told.actual ?? told.forecast) : null;
    return [{ date: period.first, ...told, band: null, mark, anomalies: here }];
  });
  return { region: NOWHERE, line: isOneOfMany ? `${ALL_LINES}, ${currency}` : ALL_LINES, currency, points };
}

/** The rows by region and line, each in order of time; those with anomalies first, and the largest of them. */
function slices({ financialMetrics, anomalies }: MetricSeriesQuery): Series[] {
  const groups = Map.groupBy(financialMetrics?.nodes ?? [], (row) =>
    JSON.stringify([row.region ?? NOWHERE, lineOf(row)]),
  );
  const all = [...groups].map(([key, rows]) => {
    const [region, line] = JSON.parse(key) as [string, string];
    const found = (anomalies?.nodes ?? []).filter(({ affectedRegion }) => !affectedRegion || affectedRegion === region);
    const points = rows.map((row) => point(row, found)).sort((a, b) => a.date.localeCompare(b.date));
    return { region, line, currency: rows[0]?.currency ?? '', points };
  });
  const size = (one: Series) => one.points.reduce((sum, { actual }) => sum + Math.abs(actual ?? 0), 0);
  const anomalous = (one: Series) => Number(one.points.some(({ anomalies }) => anomalies.length > 0));
  return all.sort((a, b) => anomalous(b) - anomalous(a) || size(b) - size(a));
}

function point(row: Row, anomalies: Anomaly[]): Point {
  const date = row.metricDate;
  const here = anomalies.filter(({ affectedPeriodStart }) => affectedPeriodStart?.slice(0, 7) === date.slice(0, 7));
  const [lower, upper] = [number(row.confidenceLower), number(row.confidenceUpper)];
  const actual = number(row.actualValue);
  return {
    date,
    actual,
    forecast: number(row.forecastValue),
    budget: number(row.budgetValue),
    band: lower !== null && upper !== null ? [lower, upper] : null,
    mark: here.length > 0 ? (actual ?? number(row.forecastValue)) : null,
    anomalies: here,
  };
}
