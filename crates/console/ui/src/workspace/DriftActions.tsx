import { client } from '../gateway/client';
import { useLive } from '../gateway/live';
import { words } from '../parts/format';
import { ReasonDialog, type Reason } from '../parts/ReasonDialog';
import type { DriftRow } from './drift';
import { ApproveDrift, OneDriftItem, OverrideDrift, RevertDrift } from './operations';
import { may } from './permissions';

const ACTIONS = {
  override: {
    label: 'Override',
    title: 'Override the baseline',
    mutation: OverrideDrift,
    done: 'The override is recorded.',
    explanation:
      'The agreed value becomes what is drafted now. Where the rules of the workspace ask for it, that waits for a risk member.',
  },
  approve: {
    label: 'Approve',
    title: 'Approve the deviation',
    mutation: ApproveDrift,
    done: 'The approval is recorded.',
    explanation: 'Risk accepts that draft and baseline stay apart.',
  },
  complete: {
    label: 'Approve override',
    title: 'Approve the override',
    mutation: ApproveDrift,
    done: 'The approval is recorded.',
    explanation: 'The override that was asked for takes effect: the agreed value becomes what is drafted now.',
  },
  revert: {
    label: 'Revert',
    title: 'Revert the draft',
    mutation: RevertDrift,
    done: 'The draft is reverted.',
    explanation: 'The draft goes back to the agreed value.',
  },
} as const;
export type Action = keyof typeof ACTIONS;

export const Values = ({ item }: { item: DriftRow }) => (
  <p className="values">
    <span className="hidden">Baseline </span>
    <del>{item.baselineValue}</del>
    <span aria-hidden="true"> → </span>
    <span className="hidden"> now </span>
    <ins>{item.currentValue}</ins>
  </p>
);

interface Props {
  item: DriftRow;
  permissions: readonly string[];
  onAsk: (action: Action) => void;
}

/** What the reader may do about an unresolved item, as buttons that each ask for a reason. */
export function DriftActions({ item, permissions, onAsk }: Props) {
  const waits = Boolean(item.overrideRequestedAt);
  const open = item.status === 'UNRESOLVED';
  const offered: Action[] = [];
  if (open && may(permissions, 'drift:override') && !waits) offered.push('override');
  if (open && may(permissions, 'drift:approve')) offered.push(waits ? 'complete' : 'approve');
  if (open && may(permissions, 'drift:revert')) offered.push('revert');
  if (offered.length === 0) return null;
  return (
    <p className="actions">
      {offered.map((action) => (
        <button key={action} type="button" className="button small" onClick={() => onAsk(action)}>
          {ACTIONS[action].label}
          <span className="hidden">: {item.title}</span>
        </button>
      ))}
    </p>
  );
}

interface DialogProps {
  item: DriftRow;
  action: Action;
  /** The newest version is to be read. */
  onStale: () => void;
  /** It is over; what was done is said in a sentence. */
  onClose: (told: string | null) => void;
}

/** Asks for the reason of an action and does it, to the newest version of the item; what others do to it meanwhile is told. */
export function DriftDialog({ item: listed, action, onStale, onClose }: DialogProps) {
  const { title, label, explanation, mutation, done: told } = ACTIONS[action];
  // Read by itself: a list of what is unresolved does not say how an item was settled.
  const state = useLive(OneDriftItem, { id: listed.id }, ['DRIFT'], listed.workspaceId);
  const read = state.data?.driftItem;
  const item = read && read.rowVersion > listed.rowVersion ? read : listed;

  async function act(reason: Reason) {
    const answer = await client
      .mutation<unknown, Reason & { id: string; expectedVersion: number }>(mutation, {
        id: item.id,
        expectedVersion: item.rowVersion,
        ...reason,
      })
      .toPromise();
    if (answer.error) throw answer.error;
  }

  return (
    <ReasonDialog
      title={title}
      action={label}
      over={read === null ? 'It is not there any more.' : overtaken(item, action)}
      explanation={
        <>
          <p>
            <strong>{item.title}</strong>
          </p>
          <Values item={item} />
          <p className="quiet">{explanation}</p>
        </>
      }
      submit={act}
      onConflict={() => {
        onStale();
        state.reload();
      }}
      onClose={(done) => onClose(done ? `${told} ${item.title}` : null)}
    />
  );
}

/** Why the action is not to be done any more, if so. */
function overtaken({ status, approvedByUser, overrideRequestedAt }: DriftRow, action: Action) {
  if (status !== 'UNRESOLVED')
    return `It was settled meanwhile${approvedByUser ? ` by ${approvedByUser.name}` : ''}: ${words(status).toLowerCase()}.`;
  // To approve is to complete an override that waits, which is not what this dialog says.
  if (action === 'revert' || Boolean(overrideRequestedAt) === (action === 'complete')) return undefined;
  return overrideRequestedAt
    ? 'An override was asked for meanwhile. Close this and look again.'
    : 'The override does not wait any more. Close this and look again.';
}
