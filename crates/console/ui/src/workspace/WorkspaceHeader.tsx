import type { WorkspaceHeadQuery } from '../gql/graphql';
import { money, words } from '../parts/format';

export type Head = NonNullable<WorkspaceHeadQuery['workspace']>;
export type Seat = WorkspaceHeadQuery['me']['workspaces'][number];

/** What the workspace is, who the reader is in it, and how sound its documentation is. */
export function WorkspaceHeader({
  workspace,
  seat,
  unresolved,
}: {
  workspace: Head;
  seat: Seat | undefined;
  unresolved: string | null;
}) {
  const { name, amount, currency, standard, organization, graphState } = workspace;
  const score = graphState ? Number(graphState.integrityScore) : null;
  return (
    <header className="panel workspace-header">
      <div>
        <h1>{name}</h1>
        <dl>
          <div>
            <dt>Facility</dt>
            <dd>{money(amount, currency)}</dd>
          </div>
          <div>
            <dt>Standard</dt>
            <dd>{standard}</dd>
          </div>
          {organization && (
            <div>
              <dt>Host</dt>
              <dd>{organization.name}</dd>
            </div>
          )}
          <div>
            <dt>My role</dt>
            <dd>{seat ? words(seat.role) + (seat.isAdmin ? ', administrator' : '') : 'none'}</dd>
          </div>
          {unresolved && (
            <div>
              <dt>Drift</dt>
              <dd>{unresolved}</dd>
            </div>
          )}
        </dl>
      </div>
      {score === null ? (
        <p className="quiet">Integrity is not computed yet.</p>
      ) : (
        <div className="integrity">
          <p>
            <span id="integrity">Integrity</span> <strong>{(score * 100).toFixed(1)} %</strong>
          </p>
          <meter aria-labelledby="integrity" min={0} max={1} low={0.75} high={0.9} optimum={1} value={score} />
          <small className="quiet">
            {score >= 0.9 ? 'Enough for a golden record (90 %)' : 'A golden record needs 90 %'}
          </small>
        </div>
      )}
    </header>
  );
}
