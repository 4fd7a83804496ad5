import { useState } from 'react';
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Legend,
  Line,
  ResponsiveContainer,
  Scatter,
  Tooltip,
  XAxis,
  YAxis,
  type TooltipContentProps,
} from 'recharts';
import { useLive } from '../gateway/live';
import type { MetricType } from '../gql/graphql';
import { compact, month, words } from '../parts/format';
import { Choice } from '../parts/Choice';
import { isPercentage, monthsAgo } from './metrics';
import { MetricSeries } from './operations';
import { Section } from '../parts/Section';
import { series, type Point, type Series } from './series';

const SINCE = monthsAgo(24);
/** So far ahead there are forecasts. */
const UNTIL = monthsAgo(-6);

/** One metric over time: actual, budget, forecast with its band, and where it was out of the ordinary. */
export function MetricChart({ metric }: { metric: MetricType }) {
  const state = useLive(MetricSeries, { metric, since: SINCE, until: UNTIL }, ['METRIC', 'ANOMALY']);
  const [region, setRegion] = useState('');
  const [line, setLine] = useState('');
  const all = state.data ? series(state.data) : [];
  const regions = [...new Set(all.map((one) => one.region))];
  const inRegion = all.filter((one) => one.region === (regions.includes(region) ? region : regions[0]));
  const shown = inRegion.find((one) => one.line === line) ?? inRegion[0];
  const note = shown && (
    <span className="choices">
      <Choice label="Region" value={shown.region} values={named(regions)} choose={setRegion} />
      <Choice
        label="Line of business"
        value={shown.line}
        values={named(inRegion.map((one) => one.line))}
        choose={setLine}
      />
    </span>
  );
  return (
    <Section title={words(metric)} note={note} className="wide" state={state}>
      {shown ? (
        <Chart metric={metric} shown={shown} />
      ) : (
        <p className="quiet">There are no values of this metric that you may see.</p>
      )}
    </Section>
  );
}

const named = (names: string[]) => Object.fromEntries(names.map((name) => [name, name]));

function Chart({ metric, shown }: { metric: MetricType; shown: Series }) {
  const unit = isPercentage(metric) ? '%' : '';
  const format = (value: number) => (unit ? `${value.toFixed(1)}%` : compact(value));
  const marked = shown.points.filter(({ anomalies }) => anomalies.length > 0);
  return (
    <figure>
      <div
        className="chart"
        role="img"
        aria-label={`${words(metric)} by month, ${shown.region}, ${shown.line}; the table below has the numbers.`}
      >
        <ResponsiveContainer width="100%" height={280} initialDimension={{ width: 600, height: 280 }}>
          <ComposedChart
            data={shown.points}
            accessibilityLayer={false}
            margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
          >
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis dataKey="date" tickFormatter={month} stroke="var(--quiet)" minTickGap={28} tick={{ fontSize: 12 }} />
            <YAxis
              tickFormatter={format}
              stroke="var(--quiet)"
              width={56}
              domain={['auto', 'auto']}
              tick={{ fontSize: 12 }}
            />
            <Tooltip content={(props) => <Reading {...props} format={format} />} />
            <Legend />
            <Area
              dataKey="band"
              name="Forecast band"
              stroke="none"
              fill="var(--accent)"
              fillOpacity={0.18}
              isAnimationActive={false}
            />
            <Line
              dataKey="budget"
              name="Budget"
              stroke="var(--quiet)"
              strokeDasharray="2 3"
              dot={false}
              isAnimationActive={false}
            />
            <Line
              dataKey="forecast"
              name="Forecast"
              stroke="var(--accent)"
              strokeDasharray="6 4"
              strokeWidth={2}
              dot={false}
              isAnimationActive={false}
            />
            <Line
              dataKey="actual"
              name="Actual"
              stroke="var(--text)"
              strokeWidth={2.2}
              dot={false}
              isAnimationActive={false}
            />
            <Scatter dataKey="mark" name="Anomaly" fill="var(--bad)" shape="diamond" isAnimationActive={false} />
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      <figcaption>
        <p className="quiet">
          {unit ? 'Percent' : `Amounts in ${shown.currency}`} by month.{' '}
          {marked.length === 0
            ? 'No anomaly in these months.'
            : `${marked.length} ${marked.length === 1 ? 'month has' : 'months have'} an anomaly.`}
        </p>
        <details>
          <summary>Numbers as a table</summary>
          <div className="scroll" tabIndex={0} role="region" aria-label={`Numbers of ${words(metric)}`}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Month</th>
                  <th scope="col">Actual</th>
                  <th scope="col">Budget</th>
                  <th scope="col">Forecast</th>
                  <th scope="col">Band</th>
                  <th scope="col">Anomalies</th>
                </tr>
              </thead>
              <tbody>
                {shown.points.map((point) => (
                  <Numbers key={point.date} point={point} format={format} />
                ))}
              </tbody>
            </table>
          </div>
        </details>
      </figcaption>
    </figure>
  );
}

function Numbers({ point, format }: { point: Point; format: (value: number) => string }) {
  const cell = (value: number | null) => <td>{value === null ? '–' : format(value)}</td>;
  return (
    <tr>
      <th scope="row">{month(point.date)}</th>
      {cell(point.actual)}
      {cell(point.budget)}
      {cell(point.forecast)}
      <td>{point.band ? point.band.map(format).join(' to ') : '–'}</td>
      <td>{point.anomalies.map(({ description }) => description).join('; ') || '–'}</td>
    </tr>
  );
}

/** What the pointer is at. */
function Reading({ active, payload, format }: TooltipContentProps & { format: (value: number) => string }) {
  const point = payload?.[0]?.payload as Point | undefined;
  if (!active || !point) return null;
  return (
    <div className="reading">
      <strong>{month(point.date)}</strong>
      {point.actual !== null && <span>Actual {format(point.actual)}</span>}
      {point.budget !== null && <span>Budget {format(point.budget)}</span>}
      {point.forecast !== null && <span>Forecast {format(point.forecast)}</span>}
      {point.band && <span>Band {point.band.map(format).join(' to ')}</span>}
      {point.anomalies.map(({ id, description }) => (
        <span key={id} className="bad">
          {description}
        </span>
      ))}
    </div>
  );
}
