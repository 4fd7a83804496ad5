import { useQuery } from 'urql';
import { useBack, useEvents } from '../../gateway/live';
import type { ImpactQuery } from '../../gql/graphql';
import { Impact } from '../operations';

export type Impacted = ImpactQuery['impactOf'][number];

/** What a change of the node concerns, kept true while it is selected. */
export function useImpact(node: string | null) {
  const [{ data, error }, read] = useQuery({
    query: Impact,
    variables: { node: node ?? '' },
    pause: node === null,
    requestPolicy: 'cache-and-network',
  });
  const again = () => node !== null && read({ requestPolicy: 'network-only' });
  useEvents(({ topic }) => topic === 'GRAPH' && again());
  useBack(again);
  if (node === null) return { impact: undefined, error: undefined };
  // The answer for the node before stays until this one's is there.
  return { impact: data?.graphNode?.id === node ? data : undefined, error };
}
