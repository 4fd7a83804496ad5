import { useLive } from '../gateway/live';
import type { WorkspaceAuditQuery } from '../gql/graphql';
import { Problem } from '../parts/Problem';
import { when, words } from '../parts/format';
import { WorkspaceAudit } from './operations';
import { useFresh } from '../parts/useFresh';

type Entry = NonNullable<WorkspaceAuditQuery['workspace']>['auditEvents']['nodes'][number];

const field = (state: unknown, name: string) => {
  const value = typeof state === 'object' && state !== null ? (state as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
};

/** What an entry was about, as far as its states name it. */
function about({ targetId, beforeState, afterState }: Entry, names: ReadonlyMap<string, string>) {
  const name =
    (targetId && names.get(targetId)) ||
    ['label', 'title', 'name'].map((key) => field(afterState, key) ?? field(beforeState, key)).find(Boolean);
  const before = field(beforeState, 'value');
  const after = field(afterState, 'value');
  return [name, before && after && before !== after ? `${before} → ${after}` : null].filter(Boolean).join(': ');
}

/** The latest of the audit trail of the workspace, as far as the reader may see it. `names` tells what an id is of. */
export function AuditFeed({ id, names }: { id: string; names: ReadonlyMap<string, string> }) {
  const { data, error } = useLive(WorkspaceAudit, { id }, ['AUDIT']);
  const fresh = useFresh('AUDIT');
  const entries = data?.workspace?.auditEvents.nodes;
  return (
    <section className="panel audit" aria-labelledby="audit-title">
      <h2 id="audit-title">Audit trail</h2>
      {error && <Problem error={error} />}
      {!entries ? (
        !error && (
          <p role="status" className="quiet">
            Loading…
          </p>
        )
      ) : entries.length === 0 ? (
        <p className="quiet">Nothing that you may see has been recorded here.</p>
      ) : (
        <ol tabIndex={0} aria-labelledby="audit-title">
          {entries.map((entry) => (
            <li key={entry.id} className={fresh(entry.id)}>
              <p>
                <strong>{words(entry.eventType)}</strong> {about(entry, names)}
              </p>
              {entry.reason && <p>“{entry.reason}”</p>}
              <p className="quiet">
                <small>
                  {entry.actorName} · <time dateTime={entry.timestamp}>{when(entry.timestamp)}</time>
                </small>
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
