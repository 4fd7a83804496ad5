import { useState, type ReactNode } from 'react';
import { client } from '../gateway/client';
import { ReasonDialog, type Reason } from '../parts/ReasonDialog';
import type { DriftRow } from './drift';
import { ApproveDrift, OverrideDrift, RevertDrift } from './operations';
import { may } from './permissions';

const ACTIONS = {
  override: {
    label: 'Override', title: 'Override the baseline', mutation: OverrideDrift, done: 'The override is recorded.',
    explanation: 'The agreed value becomes what is drafted now. Where the rules of the workspace ask for it, that waits for a risk member.',
  },
  approve: {
    label: 'Approve', title: 'Approve the deviation', mutation: ApproveDrift, done: 'The approval is recorded.',
    explanation: 'Risk accepts that draft and baseline stay apart.',
  },
  complete: {
    label: 'Approve override', title: 'Approve the override', mutation: ApproveDrift, done: 'The approval is recorded.',
    explanation: 'The override that was asked for takes effect: the agreed value becomes what is drafted now.',
  },
  revert: {
    label: 'Revert', title: 'Revert the draft', mutation: RevertDrift, done: 'The draft is reverted.',
    explanation: 'The draft goes back to the agreed value.',
  },
} as const;
type Action = keyof typeof ACTIONS;

interface Props {
  item: DriftRow;
  permissions: readonly string[];
  /** The newest version is to be read. */
  onStale: () => void;
  /** It is done, said in a sentence. */
  onDone: (told: string) => void;
  values: ReactNode;
}

/** What the reader may do about an unresolved item, as buttons that each ask for a reason. */
export function DriftActions({ item, permissions, onStale, onDone, values }: Props) {
  const [asked, setAsked] = useState<Action | null>(null);
  const waits = Boolean(item.overrideRequestedAt);
  const open = item.status === 'UNRESOLVED';
  const offered: Action[] = [];
  if (open && may(permissions, 'drift:override') && !waits) offered.push('override');
  if (open && may(permissions, 'drift:approve')) offered.push(waits ? 'complete' : 'approve');
  if (open && may(permissions, 'drift:revert')) offered.push('revert');

  async function act(action: Action, reason: Reason) {
    const answer = await client
      .mutation<unknown, Reason & { id: string; expectedVersion: number }>(ACTIONS[action].mutation, { id: item.id, expectedVersion: item.rowVersion, ...reason })
      .toPromise();
    if (answer.error) throw answer.error;
  }

  return (
    <>
      {offered.length > 0 && (
        <p className="actions">
          {offered.map((action) => (
            <button key={action} type="button" className="button small" onClick={() => setAsked(action)}>
              {ACTIONS[action].label}<span className="hidden">: {item.title}</span>
            </button>
          ))}
        </p>
      )}
      {asked && (
        <ReasonDialog title={ACTIONS[asked].title} action={ACTIONS[asked].label}
          explanation={<><p><strong>{item.title}</strong></p>{values}<p className="quiet">{ACTIONS[asked].explanation}</p></>}
          submit={(reason) => act(asked, reason)} onConflict={onStale}
          onClose={(done) => {
            setAsked(null);
            if (done) onDone(`${ACTIONS[asked].done} ${item.title}`);
          }} />
      )}
    </>
  );
}
