import type { DriftFieldsFragment, DriftSeverity } from '../gql/graphql';

export type DriftRow = DriftFieldsFragment;

const RANK: Record<DriftSeverity, number> = { HIGH: 0, MEDIUM: 1, LOW: 2 };

/** The unresolved first, the gravest of them first; then the settled, the latest first. */
export function inOrder(items: readonly DriftRow[]): DriftRow[] {
  const open = items.filter(({ status }) => status === 'UNRESOLVED');
  const settled = items.filter(({ status }) => status !== 'UNRESOLVED');
  return [
    ...open.sort(
      (a, b) => RANK[a.severity] - RANK[b.severity] || b.currentModifiedAt.localeCompare(a.currentModifiedAt),
    ),
    ...settled.sort((a, b) => (b.approvedAt ?? '').localeCompare(a.approvedAt ?? '')),
  ];
}

export interface DriftMark {
  count: number;
  severity: DriftSeverity;
}

/** How much is unresolved, and how grave the gravest is, by what `key` tells of an item. */
export function marks(
  items: readonly DriftRow[],
  key: (item: DriftRow) => string | null | undefined,
): Map<string, DriftMark> {
  const found = new Map<string, DriftMark>();
  for (const item of items) {
    const at = key(item);
    if (item.status !== 'UNRESOLVED' || !at) continue;
    const before = found.get(at);
    found.set(at, {
      count: (before?.count ?? 0) + 1,
      severity: before && RANK[before.severity] < RANK[item.severity] ? before.severity : item.severity,
    });
  }
  return found;
}
