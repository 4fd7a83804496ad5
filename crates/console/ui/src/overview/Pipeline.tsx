import { Bar, BarChart, LabelList, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { DealStage, PipelineQuery } from '../gql/graphql';
import { compact, words } from '../parts/format';
import { Pipeline as Query } from './operations';
import { Section } from '../parts/Section';

/** The open stages, in the order in which a deal goes through them. */
const STAGES: DealStage[] = ['PROSPECTING', 'DISCOVERY', 'PROPOSAL', 'NEGOTIATION', 'LEGAL_REVIEW'];

type Group = NonNullable<PipelineQuery['deals']>['groups']['nodes'][number];

const sum = (groups: Group[], of: (group: Group) => string | null | undefined) =>
  groups.reduce((sum, group) => sum + Number(of(group) ?? 0), 0);

/** The stages of the deals in a currency. */
function stages(groups: Group[]) {
  return STAGES.flatMap((stage) => {
    const [group] = groups.filter(({ key }) => key.stage === stage);
    if (!group) return [];
    const [value, weighted] = [Number(group.value.sum ?? 0), Number(group.weightedValue.sum ?? 0)];
    return [{ stage: words(stage), count: group.count, value, weighted }];
  });
}

/** The open deals by stage: how much is in it, and how much of that is likely. */
export function Pipeline() {
  const state = useLive(Query, {}, ['DEAL']);
  const groups = state.data?.deals?.groups.nodes ?? [];
  // Amounts of several currencies are not added: each has a picture of its own, the largest first.
  const byCurrency = [...Map.groupBy(groups, ({ key }) => key.currency ?? '')];
  const currencies = byCurrency
    .map(([currency, groups]) => ({
      currency,
      groups,
      total: sum(groups, ({ value }) => value.sum),
      weighted: sum(groups, ({ weightedValue }) => weightedValue.sum),
      count: groups.reduce((sum, { count }) => sum + count, 0),
    }))
    .sort((a, b) => b.count - a.count);
  return (
    <Section title="Pipeline" state={state}>
      {currencies.length === 0 && <p className="quiet">There are no open deals that you may see.</p>}
      {currencies.map(({ currency, groups, total, weighted }) => (
        <Stages
          key={currency}
          note={`${currency} ${compact(total)} open, ${compact(weighted)} weighted by probability`}
          currency={currency}
          rows={stages(groups)}
        />
      ))}
    </Section>
  );
}

function Stages({ note, currency, rows }: { note: string; currency: string; rows: ReturnType<typeof stages> }) {
  return (
    <>
      <p className="quiet">{note}</p>
      <figure>
        <div className="chart" aria-hidden="true">
          <ResponsiveContainer
            width="100%"
            height={rows.length * 46 + 8}
            initialDimension={{ width: 400, height: 230 }}
          >
            <BarChart
              data={rows}
              layout="vertical"
              accessibilityLayer={false}
              margin={{ top: 0, right: 56, bottom: 0, left: 0 }}
              barGap={2}
            >
              <XAxis type="number" hide domain={[0, 'dataMax']} />
              <YAxis
                type="category"
                dataKey="stage"
                width={96}
                stroke="var(--quiet)"
                tickLine={false}
                axisLine={false}
                tick={{ fontSize: 12 }}
              />
              <Bar dataKey="value" fill="var(--accent)" radius={4} barSize={16} isAnimationActive={false}>
                <LabelList
                  dataKey="value"
                  position="right"
                  formatter={(value) => compact(Number(value))}
                  fill="var(--text)"
                  fontSize={12}
                />
              </Bar>
              <Bar dataKey="weighted" fill="var(--good)" radius={4} barSize={9} isAnimationActive={false} />
            </BarChart>
          </ResponsiveContainer>
        </div>
        <figcaption>
          <p className="quiet">
            <i className="swatch value" /> value <i className="swatch weighted" /> weighted by probability
          </p>
          <table className="hidden">
            <caption>Open deals by stage, {currency}</caption>
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col">Deals</th>
                <th scope="col">Value</th>
                <th scope="col">Weighted</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.stage}>
                  <th scope="row">{row.stage}</th>
                  <td>{row.count}</td>
                  <td>{compact(row.value)}</td>
                  <td>{compact(row.weighted)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </figcaption>
      </figure>
    </>
  );
}
