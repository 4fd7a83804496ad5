import { useState } from 'react';
import { Bar, BarChart, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { FunnelQuery } from '../gql/graphql';
import { Choice } from '../parts/Choice';
import { percent, words } from '../parts/format';
import { Section } from '../parts/Section';
import { monthsAgo } from './metrics';
import { Funnel as Query } from './operations';

/** How many months back, as a choice. */
const SINCE = { 3: 'last 3 months', 6: 'last 6 months', 12: 'last 12 months' };
type Since = `${keyof typeof SINCE}`;

const PARTS = [
  { key: 'advanced', name: 'went on', color: 'var(--good)' },
  { key: 'wentBack', name: 'went back', color: 'var(--warn)' },
  { key: 'lost', name: 'lost', color: 'var(--bad)' },
  { key: 'open', name: 'still there', color: 'var(--quiet)' },
] as const;

type Stage = NonNullable<FunnelQuery['salesFunnel']>[number];

/** What became of the deals that entered each stage: which share went on, and how long they were there. */
export function Funnel() {
  const [months, setMonths] = useState<Since>('12');
  const state = useLive(Query, { since: monthsAgo(Number(months)) }, ['DEAL']);
  const stages = state.data?.salesFunnel ?? [];
  // Who has no deals is not told about them twice: the pipeline says so.
  if (stages.length === 0 && state.error == null && months === '12') return null;
  return (
    <Section
      title="Sales funnel"
      note={<Choice label="Since when" value={months} values={SINCE} choose={setMonths} />}
      state={state}
    >
      {stages.length === 0 ? (
        <p className="quiet">No deal entered a stage in this time.</p>
      ) : (
        <Stages stages={stages} />
      )}
    </Section>
  );
}

function Stages({ stages }: { stages: Stage[] }) {
  const rows = stages.map((stage) => ({ ...stage, name: words(stage.stage) }));
  return (
    <figure>
      <div className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height={rows.length * 34 + 8} initialDimension={{ width: 400, height: 180 }}>
          <BarChart
            data={rows}
            layout="vertical"
            accessibilityLayer={false}
            margin={{ top: 0, right: 8, bottom: 0, left: 0 }}
          >
            <XAxis type="number" hide domain={[0, 'dataMax']} />
            <YAxis
              type="category"
              dataKey="name"
              width={96}
              stroke="var(--quiet)"
              tickLine={false}
              axisLine={false}
              tick={{ fontSize: 12 }}
            />
            {PARTS.map(({ key, color }) => (
              <Bar key={key} dataKey={key} stackId="entered" fill={color} barSize={18} isAnimationActive={false} />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <figcaption>
        <p className="quiet legend">
          {PARTS.map(({ key, name }) => (
            <span key={key}>
              <i className={`swatch ${key}`} /> {name}
            </span>
          ))}
        </p>
        <div className="scroll figures" tabIndex={0} role="region" aria-label="The funnel in numbers">
          <table>
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col">Entered</th>
                <th scope="col">Went on</th>
                <th scope="col">Went back</th>
                <th scope="col">Lost</th>
                <th scope="col">Still there</th>
                <th scope="col">Conversion</th>
                <th scope="col">Median days</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.stage}>
                  <th scope="row">{row.name}</th>
                  <td>{row.entered}</td>
                  <td>{row.advanced}</td>
                  <td>{row.wentBack}</td>
                  <td>{row.lost}</td>
                  <td>{row.open}</td>
                  <td>{row.conversion == null ? '–' : percent(Number(row.conversion))}</td>
                  <td>{row.medianDays ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="quiet">Conversion is the share that went on of those that have left the stage.</p>
      </figcaption>
    </figure>
  );
}
