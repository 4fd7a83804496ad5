import { useEffect, useRef, useState } from 'react';
import { useEvents, type LiveEvent } from '../gateway/live';
import type { Me } from '../gateway/session';
import { words } from '../parts/format';
import { workspaceLink } from './route';

/** How long a toast stays, milliseconds, and how many are shown. */
const STAYS = 6_000;
const MOST = 4;

interface Toast {
  key: string;
  text: string;
  link?: string;
  /** Whether the pointer, or the focus, is on it. */
  isPointedAt?: boolean;
  isFocused?: boolean;
}

// What somebody is about to read or to press is not taken away.
const isHeld = ({ isPointedAt, isFocused }: Toast) => Boolean(isPointedAt || isFocused);

/** Tells, for a moment, what others do. */
export function Toasts({ me }: { me: Me }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  useEvents((event) => {
    // What one does oneself is seen where one does it.
    if (event.actor?.id === me.user.id) return;
    const told = tell(event);
    if (!told) return;
    setToasts((before) => {
      const shown = before.filter(({ key }) => key !== event.cursor);
      let surplus = shown.length + 1 - MOST;
      return [...shown.filter((one) => isHeld(one) || surplus-- <= 0), { ...told, key: event.cursor }];
    });
  });
  return (
    <ul className="toasts" aria-live="polite" aria-label="What just happened">
      {toasts.map((toast) => (
        <Shown
          key={toast.key}
          toast={toast}
          change={(change) =>
            setToasts((shown) => shown.map((one) => (one.key === toast.key ? { ...one, ...change } : one)))
          }
          dismiss={() => setToasts((shown) => shown.filter(({ key }) => key !== toast.key))}
        />
      ))}
    </ul>
  );
}

function Shown({
  toast,
  change,
  dismiss,
}: {
  toast: Toast;
  change: (change: Partial<Toast>) => void;
  dismiss: () => void;
}) {
  const held = isHeld(toast);
  const end = useRef(dismiss);
  useEffect(() => void (end.current = dismiss));
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => end.current(), STAYS);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <li
      onPointerEnter={() => change({ isPointedAt: true })}
      onPointerLeave={() => change({ isPointedAt: false })}
      onFocus={() => change({ isFocused: true })}
      onBlur={() => change({ isFocused: false })}
    >
      {toast.link ? <a href={toast.link}>{toast.text}</a> : toast.text}
      <button className="button small" aria-label="Dismiss" onClick={dismiss}>
        ×
      </button>
    </li>
  );
}

/** A change in words; nothing for what is only bookkeeping. */
function tell({ kind, actor, node }: LiveEvent): Omit<Toast, 'key'> | null {
  const by = actor ? ` by ${actor.name}` : '';
  switch (node?.__typename) {
    case 'DriftItem': {
      const link = workspaceLink(node.workspaceId);
      if (kind === 'CREATED')
        return {
          text: `New ${node.driftSeverity.toLowerCase()} drift${by}: ${node.title} is now ${node.currentValue}`,
          link,
        };
      if (kind === 'RESOLVED') return { text: `Drift ${node.driftStatus.toLowerCase()}${by}: ${node.title}`, link };
      return { text: `Drift changed${by}: ${node.title} is now ${node.currentValue}`, link };
    }
    case 'Anomaly':
      if (kind === 'CREATED') return { text: `New ${node.anomalySeverity.toLowerCase()} anomaly: ${node.description}` };
      return { text: `Anomaly of ${words(node.metricType)} is ${words(node.anomalyStatus).toLowerCase()}${by}` };
    case 'Deal':
      return {
        text: `Deal ${kind === 'CREATED' ? 'created' : kind === 'RESOLVED' ? 'closed' : 'changed'}${by}: ${node.dealName}, ${words(node.stage).toLowerCase()}`,
      };
    case 'Budget':
      return {
        text: `Budget ${node.budgetStatus ? words(node.budgetStatus).toLowerCase() : 'changed'}${by}: ${node.name}`,
      };
    default:
      return null;
  }
}
