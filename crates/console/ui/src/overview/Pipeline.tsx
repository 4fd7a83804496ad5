import { Bar, BarChart, LabelList, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { DealStage, PipelineQuery } from '../gql/graphql';
import { compact, words } from '../parts/format';
import { Pipeline as Query } from './operations';
import { Section } from './Section';

/** The open stages, in the order in which a deal goes through them. */
const STAGES: DealStage[] = ['PROSPECTING', 'DISCOVERY', 'PROPOSAL', 'NEGOTIATION', 'LEGAL_REVIEW'];

function stages(nodes: NonNullable<PipelineQuery['pipelineSummaries']>['nodes']) {
  return STAGES.flatMap((stage) => {
    const rows = nodes.filter((row) => row.stage === stage);
    const sum = (value: (row: (typeof rows)[number]) => unknown) =>
      rows.reduce((sum, row) => sum + Number(value(row) ?? 0), 0);
    const count = sum((row) => row.dealCount);
    if (count === 0) return [];
    return [
      { stage: words(stage), count, value: sum((row) => row.totalValue), weighted: sum((row) => row.weightedValue) },
    ];
  });
}

/** The open deals by stage: how much is in it, and how much of that is likely. */
export function Pipeline() {
  const state = useLive(Query, {}, ['KPI', 'DEAL']);
  const rows = stages(state.data?.pipelineSummaries?.nodes ?? []);
  const total = rows.reduce((sum, { value }) => sum + value, 0);
  const weighted = rows.reduce((sum, { weighted }) => sum + weighted, 0);
  return (
    <Section
      title="Pipeline"
      note={rows.length > 0 && `${compact(total)} open, ${compact(weighted)} weighted by probability`}
      state={state}
    >
      {rows.length === 0 ? (
        <p className="quiet">There are no open deals that you may see.</p>
      ) : (
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
              <caption>Open deals by stage</caption>
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
      )}
    </Section>
  );
}
