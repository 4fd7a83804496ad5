import { client } from '../gateway/client';
import { HasFigures } from '../gateway/operations';
import type { Me } from '../gateway/session';

/** What somebody is here for. */
export type Interest = 'figures' | 'loans' | 'audit';

/**
 * What a user has something to see of, what it is here for first before the others: the figures of its organization if that has some, the
 * loans that it takes part in, or who did what.
 */
export async function interests(me: Me): Promise<Interest[]> {
  // Beside an error there is what one may see: no figures are nothing to fail for.
  const { data } = await client.query(HasFigures, {}).toPromise();
  const hasFigures = [data?.financialMetrics, data?.deals].some((list) => (list?.nodes.length ?? 0) > 0);
  const inLoans = me.workspaces.length > 0;
  const readsTrail = me.permissions.some(({ name }) => name === 'audit:read');
  // Reading the trail is part of leading finances; to whoever else may, without a part in loans, it is what they are here for.
  const isAuditor = readsTrail && !inLoans && !['CFO', 'FINANCE_MANAGER'].includes(me.user.role ?? '');
  const all: [Interest, boolean][] = [
    ['audit', isAuditor],
    ['figures', hasFigures],
    ['loans', inLoans],
    ['audit', readsTrail && !isAuditor],
  ];
  return all.filter(([, isOne]) => isOne).map(([interest]) => interest);
}
