import { useLive } from '../gateway/live';
import { graphql } from '../gql';
import { DriftList } from '../workspace/DriftList';
import { Section } from '../parts/Section';

const OpenDriftItems = graphql(`
  query OpenDriftItems {
    driftItems(first: 50, filter: { status: { eq: UNRESOLVED } }, orderBy: [{ field: CURRENT_MODIFIED_AT, direction: DESC }]) {
      totalCount
      nodes { ...DriftFields }
    }
    me { workspaces { workspaceId role permissions { name } } }
  }
`);

/** What deviates from what was agreed, in all workspaces of the user. */
export function OpenDrift() {
  const state = useLive(OpenDriftItems, {}, ['DRIFT', 'WORKSPACE']);
  const data = state.data;
  const held = new Map(
    data?.me.workspaces.map(({ workspaceId, permissions }) => [workspaceId, permissions.map(({ name }) => name)]),
  );
  const seats = data?.me.workspaces ?? [];
  const isInvestor = seats.length > 0 && seats.every(({ role }) => role === 'INVESTOR');
  return (
    <Section
      title="Open drift"
      note={data?.driftItems && `${data.driftItems.totalCount} in all`}
      className="wide"
      state={state}
    >
      {data?.driftItems && (
        <DriftList
          items={data.driftItems.nodes}
          permissions={(workspace) => held.get(workspace) ?? []}
          reload={state.reload}
          withWorkspace
          nothing={isInvestor ? 'Investors see drift once it is settled.' : 'Nothing deviates from what was agreed.'}
        />
      )}
    </Section>
  );
}
