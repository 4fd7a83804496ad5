import { useRef, useState } from 'react';
import type { TypedDocumentNode } from '@urql/core';
import { client } from '../gateway/client';
import { useLive } from '../gateway/live';
import type { Me } from '../gateway/session';
import type { OpenAnomaliesQuery, SeverityLevel } from '../gql/graphql';
import { Badge, type Tone } from '../parts/Badge';
import { when, words } from '../parts/format';
import { Problem } from '../parts/Problem';
import { ReasonDialog } from '../parts/ReasonDialog';
import { useFresh } from '../parts/useFresh';
import { DismissAnomaly, OpenAnomalies, ResolveAnomaly, StartInvestigation } from './operations';
import { Section } from '../parts/Section';

type Anomaly = NonNullable<OpenAnomaliesQuery['anomalies']>['nodes'][number];
type Ending = { anomaly: Anomaly; how: 'resolve' | 'dismiss' };

const TONES: Record<SeverityLevel, Tone> = { CRITICAL: 'bad', HIGH: 'bad', MEDIUM: 'warn', LOW: 'quiet' };

const version = ({ id, rowVersion }: Anomaly) => `${id} ${rowVersion}`;

/** The anomalies that nobody has dealt with yet, and what the user may do about them. */
export function Anomalies({ me }: { me: Me }) {
  const state = useLive(OpenAnomalies, {}, ['ANOMALY']);
  const fresh = useFresh('ANOMALY');
  const [ending, setEnding] = useState<Ending | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [told, setTold] = useState('');
  const [begun, setBegun] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLUListElement>(null);
  const held = new Set(me.permissions.map(({ name }) => name));
  const anomalies = state.data?.anomalies;

  function tell(sentence: string) {
    setTold(sentence);
    // The button that was pressed goes away with what it was for.
    list.current?.focus();
  }

  async function investigate(anomaly: Anomaly) {
    const { id, rowVersion, description } = anomaly;
    setBegun((before) => new Set(before).add(version(anomaly)));
    const answer = await client.mutation(StartInvestigation, { id, version: rowVersion }).toPromise();
    setError(answer.error ?? null);
    // When done, the button stays off until the newer version is read: a second press would be refused.
    if (answer.error) setBegun((before) => new Set([...before].filter((one) => one !== version(anomaly))));
    else tell(`The investigation has begun. ${description}`);
    state.reload();
  }

  return (
    <Section title="Open anomalies" note={anomalies && `${anomalies.totalCount} in all`} state={state}>
      {error !== null && <Problem error={error} />}
      {anomalies?.nodes.length === 0 && <p className="quiet">There are none. All is as expected.</p>}
      <p className="hidden" role="status">
        {told}
      </p>
      <ul className="rows" ref={list} tabIndex={-1} aria-label="Open anomalies">
        {anomalies?.nodes.map((anomaly) => (
          <li key={anomaly.id} className={fresh(anomaly.id)}>
            <p>
              <Badge tone={TONES[anomaly.severity]}>{words(anomaly.severity)}</Badge>{' '}
              {anomaly.status === 'INVESTIGATING' && <Badge tone="accent">Investigating</Badge>}{' '}
              <strong>{words(anomaly.metricType)}</strong>
              {anomaly.affectedRegion && <span className="quiet"> · {anomaly.affectedRegion}</span>}
              {anomaly.impactPercentage && (
                <span className="quiet"> · {Number(anomaly.impactPercentage).toFixed(1)}%</span>
              )}
            </p>
            <p>{anomaly.description}</p>
            <p className="row-foot">
              <small className="quiet">
                {when(anomaly.detectedAt)}
                {anomaly.assignedToUser && ` · ${anomaly.assignedToUser.name}`}
              </small>
              <span className="actions">
                {held.has('anomalies:resolve') && anomaly.status === 'OPEN' && (
                  <button
                    className="button small"
                    disabled={begun.has(version(anomaly))}
                    onClick={() => void investigate(anomaly)}
                  >
                    Investigate
                  </button>
                )}
                {held.has('anomalies:resolve') && (
                  <button className="button small" onClick={() => setEnding({ anomaly, how: 'resolve' })}>
                    Resolve
                  </button>
                )}
                {held.has('anomalies:manage') && (
                  <button className="button small" onClick={() => setEnding({ anomaly, how: 'dismiss' })}>
                    Dismiss
                  </button>
                )}
              </span>
            </p>
          </li>
        ))}
      </ul>
      {ending && (
        <End
          ending={ending}
          reload={state.reload}
          newest={anomalies?.nodes ?? []}
          close={(done) => {
            setEnding(null);
            if (done) tell(`${WORDS[ending.how].done} ${ending.anomaly.description}`);
            else if (document.activeElement === document.body) list.current?.focus();
          }}
        />
      )}
    </Section>
  );
}

const WORDS = {
  resolve: {
    title: 'Resolve the anomaly',
    explanation: 'Its cause was found and dealt with. It never changes again.',
    action: 'Resolve',
    done: 'The anomaly is resolved.',
  },
  dismiss: {
    title: 'Dismiss the anomaly',
    explanation: 'It does not matter, or is none. It never changes again.',
    action: 'Dismiss',
    done: 'The anomaly is dismissed.',
  },
};

function End({
  ending: { anomaly, how },
  close,
  reload,
  newest,
}: {
  ending: Ending;
  close: (done: boolean) => void;
  reload: () => void;
  newest: Anomaly[];
}) {
  const { title, explanation, action } = WORDS[how];
  const document: TypedDocumentNode<unknown, { id: string; version: number; notes: string }> =
    how === 'resolve' ? ResolveAnomaly : DismissAnomaly;
  return (
    <ReasonDialog
      title={title}
      explanation={
        <>
          <p>{anomaly.description}</p>
          <p className="quiet">{explanation}</p>
        </>
      }
      action={action}
      withCategory={false}
      submit={async ({ reason }) => {
        const version = newest.find(({ id }) => id === anomaly.id)?.rowVersion ?? anomaly.rowVersion;
        const answer = await client.mutation(document, { id: anomaly.id, version, notes: reason }).toPromise();
        if (answer.error) throw answer.error;
      }}
      onConflict={reload}
      onClose={(done) => {
        close(done);
        if (done) reload();
      }}
    />
  );
}
