import { useQuery } from 'urql';
import { useEvents } from '../../gateway/live';
import type { ImpactQuery } from '../../gql/graphql';
import { Impact } from '../operations';

export type Impacted = ImpactQuery['impactOf'][number];

/** What a change of the node concerns, kept true while it is selected. */
export function useImpact(node: string | null) {
  const [{ data, error }, read] = useQuery({
    query: Impact, variables: { node: node ?? '' }, pause: node === null, requestPolicy: 'cache-and-network',
  });
  useEvents(({ topic }) => {
    if (node !== null && topic === 'GRAPH') read({ requestPolicy: 'network-only' });
  });
  if (node === null) return { impact: undefined, error: undefined };
  // The answer for the node before stays until this one's is there.
  return { impact: data?.graphNode?.id === node ? data : undefined, error };
}
