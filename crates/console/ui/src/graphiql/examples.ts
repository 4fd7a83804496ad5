import { client } from '../gateway/client';
import type { Me } from '../gateway/session';
import { fiscalYear, usualYear } from '../overview/budgets';
import { monthsAgo } from '../overview/metrics';
import { named } from '../parts/format';
import { interests } from '../parts/interests';

/** What GraphiQL opens as a tab. */
export interface Example {
  /** The name of its operation, in words. */
  title: string;
  query: string;
  variables?: string;
}

const files = import.meta.glob<string>('./examples/*/*.graphql', { query: '?raw', import: 'default', eager: true });

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
    budgets(filter: { status: { in: [APPROVED, LOCKED] }, departmentId: { isNull: false } }) {
      groups(by: [{ fiscalYear: {} }], orderBy: [{ fiscalYear: { key: DESC } }]) { nodes { key { fiscalYear } } }
    }
    me { user { organization { settings { fiscalYearStart } } } }
  }
`;

type Rows = Partial<
  Record<'node' | 'report' | 'source' | 'deal', { nodes: { id: string; rowVersion?: number }[] } | null>
> & {
  budgets?: { groups: { nodes: { key: { fiscalYear: number } }[] } } | null;
  me?: { user: { organization: { settings: { fiscalYearStart: string | null } | null } | null } };
};

/** What an example asks with: nothing where it needs nothing, and null where there is no row that it could be about. */
type Variables = Record<string, unknown> | null | undefined;

/** The variables of the examples that have some, about rows that the user sees. */
function variables(rows: Rows, me: Me): Record<string, Variables> {
  const row = (name: 'node' | 'report' | 'source' | 'deal') => rows[name]?.nodes[0];
  const [node, report, source, deal] = [row('node'), row('report'), row('source'), row('deal')];
  const years = (rows.budgets?.groups.nodes ?? []).map(({ key }) => key.fiscalYear);
  const year = usualYear(years, fiscalYear(rows.me?.user.organization?.settings?.fiscalYearStart, new Date()));
  const edits = me.permissions.some(({ name }) => name === 'deals:edit');
  return {
    totals: { by: [{ owner: { region: {} } }, { stage: {} }] },
    'budget-consumption': year === undefined ? null : { year },
    'sales-funnel': { since: monthsAgo(12) },
    'clause-search': { text: 'interest "default" -tax' },
    impact: node ? { node: node.id } : null,
    lineage: report && source ? { report: report.id, source: source.id } : null,
    conflict: deal && edits ? { deal: deal.id, version: deal.rowVersion } : null,
    'audit-totals': { since: `${monthsAgo(3)}T00:00:00Z` },
  };
}

/**
 * The examples that fit a user, as tabs of the first visit: all of what it is here for first, of what else it sees the first one of each
 * kind, and what is for everybody.
 */
export async function examples(me: Me): Promise<Example[]> {
  const [{ data }, [first, ...others]] = await Promise.all([
    client.query<Rows>(ROWS, {}, { requestPolicy: 'network-only' }).toPromise(),
    interests(me),
  ]);
  const asked = variables(data ?? {}, me);
  const chosen = [
    ...(first ? of(first) : []),
    ...others.flatMap((interest) => of(interest).slice(0, 1)),
    ...of('everybody'),
  ];
  return chosen.flatMap(([path, query]) => {
    const variables = asked[/\/\d+-(.+)\.graphql$/.exec(path)?.[1] ?? ''];
    if (variables === null) return [];
    const title = named(/^(?:query|mutation|subscription) (\w+)/m.exec(query)?.[1] ?? '');
    return [{ title, query, variables: variables && JSON.stringify(variables, null, 2) }];
  });
}

const of = (folder: string) =>
  Object.entries(files)
    .filter(([path]) => path.startsWith(`./examples/${folder}/`))
    .sort(([one], [other]) => one.localeCompare(other));
