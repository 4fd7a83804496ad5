import { useEffect, useState } from 'react';
import type { TypedDocumentNode } from '@urql/core';
import { client } from '../gateway/client';
import { useLive } from '../gateway/live';
import type { Topic } from '../gql/graphql';

interface Page<Row> {
  nodes: Row[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}
interface Paged {
  [name: string]: unknown;
  id: string;
  after?: string | null;
}

/** The rows, with those that say what they said before in their old identity, so that what shows them need not draw anew. */
function shared<Row extends { id: string }>(before: Row[] | undefined, now: Row[]): Row[] {
  const known = new Map(before?.map((row) => [row.id, row]));
  let same = before?.length === now.length;
  const rows = now.map((row, index) => {
    const old = known.get(row.id);
    const kept = old && JSON.stringify(old) === JSON.stringify(row) ? old : row;
    same &&= before?.[index] === kept;
    return kept;
  });
  return same && before ? before : rows;
}

/**
 * All rows of a connection, kept true. Pages behind the first are read one after the other; until all are there, what was
 * there before is kept.
 */
export function useAll<Data, Row extends { id: string }>(
  query: TypedDocumentNode<Data, Paged>,
  id: string,
  topics: Topic[],
  page: (data: Data) => Page<Row> | undefined,
) {
  const live = useLive(query, { id }, topics, id);
  const [rows, setRows] = useState<Row[]>();
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    const first = live.data && page(live.data);
    if (!first) return;
    let stale = false;
    void (async () => {
      const all = [...first.nodes];
      let { hasNextPage, endCursor } = first.pageInfo;
      while (hasNextPage) {
        const next = await client.query(query, { id, after: endCursor }, { requestPolicy: 'network-only' }).toPromise();
        if (stale) return;
        const rest = next.data && page(next.data);
        if (!rest) return setError(next.error);
        all.push(...rest.nodes);
        ({ hasNextPage, endCursor } = rest.pageInfo);
      }
      setError(undefined);
      setRows((before) => shared(before, all));
    })();
    return () => void (stale = true);
    // The query and its page are constants of the caller.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [live.data]);

  return { rows, error: live.error ?? error, reload: live.reload };
}
