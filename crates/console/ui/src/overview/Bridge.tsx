import { useState } from 'react';
import { Bar, BarChart, Cell, LabelList, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { BridgeQuery, MetricDimension, MetricType, ReportingPeriod, VarianceBasis } from '../gql/graphql';
import { compact, words } from '../parts/format';
import { Choice } from '../parts/Choice';
import { differenceOf, inUnit, periodOf } from './metrics';
import { Bridge as Query } from './operations';
import { Section } from '../parts/Section';

const AGAINST: Record<VarianceBasis, string> = {
  BUDGET: 'Budget',
  FORECAST: 'Forecast',
  PRIOR_PERIOD: 'Period before',
  PRIOR_YEAR: 'Year before',
};
const BY: Record<MetricDimension, string> = {
  REGION: 'by region',
  LINE_OF_BUSINESS: 'by line of business',
  PRODUCT: 'by product',
};
const TONE = { FAVORABLE: 'var(--good)', UNFAVORABLE: 'var(--bad)', UNCHANGED: 'var(--quiet)' };

type Variance = NonNullable<BridgeQuery['variance']>[number];

/** From what a metric was to be to what it is: the parts add up to the difference. */
export function Bridge({ metric, period }: { metric: MetricType; period: ReportingPeriod }) {
  const [against, setAgainst] = useState<VarianceBasis>('BUDGET');
  const [by, setBy] = useState<MetricDimension>('REGION');
  const state = useLive(Query, { metric, period, against, by }, ['METRIC']);
  const known = (state.data?.variance ?? []).filter(({ total }) => total.contribution != null);
  const note = (
    <span className="choices">
      {known[0] && `${periodOf(known[0].period)} `}
      <Choice label="Compared with" value={against} values={AGAINST} choose={setAgainst} />
      <Choice label="Parts" value={by} values={BY} choose={setBy} />
    </span>
  );
  return (
    <Section title={`${words(metric)}: what the difference is made of`} note={note} className="wide" state={state}>
      {known.length === 0 && <p className="quiet">Nothing is recorded to compare it with.</p>}
      {known.map((variance) => (
        <Waterfall key={variance.currency} variance={variance} basis={AGAINST[against]} />
      ))}
    </Section>
  );
}

interface Step {
  name: string;
  /** From where to where the bar reaches. */
  range: [number, number];
  label: string;
  fill: string;
}

/** The steps from the basis to the value, one for each part with a contribution. */
function steps({ total, parts, unit }: Variance, basis: string): Step[] {
  const whole = (name: string, value: string): Step => ({
    name,
    range: [0, Number(value)],
    label: inUnit({ unit }, value),
    fill: 'var(--accent)',
  });
  let at = Number(total.basis);
  const made = parts.flatMap(({ slice, contribution, status }): Step[] => {
    if (contribution == null) return [];
    const from = at;
    at += Number(contribution);
    const label = differenceOf({ unit }, { difference: contribution });
    return [
      {
        name: slice ?? 'Elsewhere',
        range: [from, at],
        label: signed(contribution, label),
        fill: TONE[status ?? 'UNCHANGED'],
      },
    ];
  });
  return [whole(basis, total.basis ?? '0'), ...made, whole('Actual', total.value ?? '0')];
}

const signed = (contribution: string, label: string) =>
  Number(contribution) > 0 && !label.startsWith('+') ? `+${label}` : label;

function Waterfall({ variance, basis }: { variance: Variance; basis: string }) {
  const { total, unit, currency } = variance;
  const rows = steps(variance, basis);
  const ends = rows.slice(1, -1).flatMap(({ range }) => range);
  const [least, most] = [
    Math.min(...ends, Number(total.value), Number(total.basis)),
    Math.max(...ends, Number(total.value), Number(total.basis)),
  ];
  // The whole is far larger than its parts: the picture shows where they are, and says so.
  const start = least <= 0 ? least : Math.max(0, least - (most - least) * 0.6);
  const drawn = rows.map((row) => ({ ...row, range: row.range[0] === 0 ? [start, row.range[1]] : row.range }));
  const parts = variance.parts.filter(({ contribution }) => contribution != null);
  return (
    <figure>
      <div className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height={rows.length * 34 + 8} initialDimension={{ width: 600, height: 240 }}>
          <BarChart
            data={drawn}
            layout="vertical"
            accessibilityLayer={false}
            margin={{ top: 0, right: 72, bottom: 0, left: 0 }}
          >
            <XAxis type="number" hide domain={[start, most]} allowDataOverflow />
            <YAxis
              type="category"
              dataKey="name"
              width={112}
              stroke="var(--quiet)"
              tickLine={false}
              axisLine={false}
              tick={{ fontSize: 12 }}
              tickFormatter={(name: string) => (name.length > 18 ? `${name.slice(0, 17)}…` : name)}
            />
            <Bar dataKey="range" radius={3} barSize={18} isAnimationActive={false}>
              {drawn.map(({ name, fill }) => (
                <Cell key={name} fill={fill} />
              ))}
              <LabelList dataKey="label" position="right" fill="var(--text)" fontSize={12} />
            </Bar>
          </BarChart>
        </ResponsiveContainer>
      </div>
      <figcaption>
        <p className="quiet">
          {total.comparison && `${differenceOf({ unit }, total.comparison)} in all. `}
          {unit === 'PERCENT' ? 'Percent, parts in points' : `Amounts in ${currency}`}
          {parts.length === 0
            ? '; what it is made of is not recorded.'
            : start > 0
              ? '; the bars do not begin at zero.'
              : '.'}
        </p>
        <table className="hidden">
          <caption>What the difference is made of</caption>
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">Actual</th>
              <th scope="col">{basis}</th>
              <th scope="col">Contribution</th>
            </tr>
          </thead>
          <tbody>
            {parts.map(({ slice, value, basis, contribution }) => (
              <tr key={slice ?? ''}>
                <th scope="row">{slice ?? 'Elsewhere'}</th>
                <td>{value == null ? '–' : compact(Number(value))}</td>
                <td>{basis == null ? '–' : compact(Number(basis))}</td>
                <td>{contribution}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}
