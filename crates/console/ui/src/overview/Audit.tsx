import { useLive } from '../gateway/live';
import type { RiskLevel } from '../gql/graphql';
import { Badge, type Tone } from '../parts/Badge';
import { when, words } from '../parts/format';
import { useFresh } from '../parts/useFresh';
import { AuditFeed } from './operations';
import { Section } from '../parts/Section';

const TONES: Record<RiskLevel, Tone> = { CRITICAL: 'bad', HIGH: 'bad', MEDIUM: 'warn', LOW: 'quiet' };

/** What was done in the organization, the latest first. */
export function Audit() {
  const state = useLive(AuditFeed, {}, ['AUDIT']);
  const fresh = useFresh('AUDIT');
  const rows = state.data?.auditLogs?.nodes ?? [];
  return (
    <Section title="Audit log" state={state}>
      {rows.length === 0 && <p className="quiet">Nothing has been done yet.</p>}
      <ol className="rows">
        {rows.map((row) => (
          <li key={row.id} className={fresh(row.id)}>
            <p>
              <strong>{row.actorName}</strong> {words(row.action).toLowerCase()}{' '}
              <Badge tone={TONES[row.riskLevel]}>{words(row.riskLevel)} risk</Badge>
            </p>
            <small className="quiet">
              {when(row.timestamp)}
              {row.resourceType && ` · ${words(row.resourceType)}`}
            </small>
          </li>
        ))}
      </ol>
    </Section>
  );
}
