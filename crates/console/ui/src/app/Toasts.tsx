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
}

/** Tells, for a moment, what others do. */
export function Toasts({ me }: { me: Me }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEvents((event) => {
    // What one does oneself is seen where one does it.
    if (event.actor?.id === me.user.id) return;
    const told = tell(event);
    if (!told) return;
    const toast = { ...told, key: event.cursor };
    setToasts((shown) => [...shown.filter(({ key }) => key !== toast.key), toast].slice(-MOST));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setToasts((shown) => shown.filter(({ key }) => key !== toast.key));
    }, STAYS);
    timers.current.add(timer);
  });
  useEffect(() => () => timers.current.forEach(clearTimeout), []);
  return (
    <ul className="toasts" aria-live="polite" aria-label="What just happened">
      {toasts.map(({ key, text, link }) => (
        <li key={key}>
          {link ? <a href={link}>{text}</a> : text}
          <button className="button small" aria-label="Dismiss" onClick={() => setToasts((shown) => shown.filter((one) => one.key !== key))}>×</button>
        </li>
      ))}
    </ul>
  );
}

/** A change in words; nothing for what is only bookkeeping. */
function tell({ kind, actor, node }: LiveEvent): Omit<Toast, 'key'> | null {
  const by = actor ? ` by ${actor.name}` : '';
  switch (node?.__typename) {
    case 'DriftItem': {
      const link = workspaceLink(node.workspaceId);
      if (kind === 'CREATED') return { text: `New ${node.driftSeverity.toLowerCase()} drift${by}: ${node.title} is now ${node.currentValue}`, link };
      if (kind === 'RESOLVED') return { text: `Drift ${node.driftStatus.toLowerCase()}${by}: ${node.title}`, link };
      return { text: `Drift changed${by}: ${node.title} is now ${node.currentValue}`, link };
    }
    case 'Anomaly':
      if (kind === 'CREATED') return { text: `New ${node.anomalySeverity.toLowerCase()} anomaly: ${node.description}` };
      return { text: `Anomaly of ${words(node.metricType)} is ${words(node.anomalyStatus).toLowerCase()}${by}` };
    case 'Deal':
      return { text: `Deal ${kind === 'CREATED' ? 'created' : kind === 'RESOLVED' ? 'closed' : 'changed'}${by}: ${node.dealName}, ${words(node.stage).toLowerCase()}` };
    case 'Budget':
      return { text: `Budget ${node.budgetStatus ? words(node.budgetStatus).toLowerCase() : 'changed'}${by}: ${node.name}` };
    default:
      return null;
  }
}
