import { client } from '../gateway/client';

/** What GraphiQL opens as a tab. */
export interface Example {
  query: string;
  variables?: string;
}

const files = import.meta.glob<string>('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });

/** Rows that the examples can be about. */
const ROWS = `
  query Rows {
    node: graphNodes(filter: { hasDrift: { eq: true } }, first: 1) { nodes { id } }
    report: dataLineageNodes(filter: { type: { eq: OUTPUT }, status: { eq: ACTIVE } }, first: 1) { nodes { id } }
    source: dataLineageNodes(filter: { type: { eq: SOURCE } }, first: 1) { nodes { id } }
    deal: deals(
      filter: { stage: { notIn: [CLOSED_WON, CLOSED_LOST] }, or: [{ channel: { isNull: true } }, { channel: { ne: "Partner" } }] }
      first: 1
    ) { nodes { id rowVersion } }
  }
`;

type Rows = Partial<
  Record<'node' | 'report' | 'source' | 'deal', { nodes: { id: string; rowVersion?: number }[] } | null>
>;

/** The tabs of the first visit. Their ids are of rows that the user sees; where there are none, the example says how to find one. */
export async function examples(): Promise<Example[]> {
  const { data } = await client.query<Rows>(ROWS, {}, { requestPolicy: 'network-only' }).toPromise();
  const row = (name: keyof Rows) => data?.[name]?.nodes[0];
  const variables: Record<string, object> = {
    'clause-search': { text: 'interest "default" -tax' },
    impact: { node: row('node')?.id ?? '' },
    lineage: { report: row('report')?.id ?? '', source: row('source')?.id ?? '' },
    conflict: { deal: row('deal')?.id ?? '', version: row('deal')?.rowVersion ?? 1 },
  };
  return Object.entries(files)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([path, query]) => {
      const chosen = variables[/\/\d+-(.+)\.graphql$/.exec(path)?.[1] ?? ''];
      return { query, variables: chosen && JSON.stringify(chosen, null, 2) };
    });
}
