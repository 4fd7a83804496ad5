import { workspaceLink } from '../app/route';
import { useLive } from '../gateway/live';
import { Badge } from '../parts/Badge';
import { compact, percent } from '../parts/format';
import { MyWorkspaces } from './operations';
import { Section } from '../parts/Section';

/** The loan workspaces that the user is a member of, with how sound their documentation is. */
export function Workspaces({ state }: { state: ReturnType<typeof useWorkspaces> }) {
  return (
    <Section
      title="Workspaces"
      note={state.data?.workspaces && `${state.data.workspaces.totalCount} that you are a member of`}
      className="wide"
      state={state}
    >
      <ul className="workspaces">
        {state.data?.workspaces?.nodes.map((workspace) => {
          const score = workspace.graphState ? Number(workspace.graphState.integrityScore) : null;
          const drift = workspace.driftItems.totalCount;
          return (
            <li key={workspace.id}>
              <a href={workspaceLink(workspace.id)}>
                <strong>{workspace.name}</strong>
                <span className="quiet">
                  {workspace.currency} {compact(Number(workspace.amount))} · {workspace.standard} ·{' '}
                  {workspace.clauses.totalCount} clauses
                </span>
                <span className="integrity">
                  {score === null ? (
                    <span className="quiet">Integrity is not computed yet.</span>
                  ) : (
                    <>
                      <meter
                        min={0}
                        max={1}
                        low={0.6}
                        high={0.85}
                        optimum={1}
                        value={score}
                        aria-label={`Integrity of ${workspace.name}`}
                      />
                      <span>Integrity {percent(score)}</span>
                    </>
                  )}
                  {drift > 0 && <Badge tone="warn">{drift} open drift</Badge>}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

export const useWorkspaces = () => useLive(MyWorkspaces, {}, ['WORKSPACE', 'GRAPH', 'DRIFT']);
