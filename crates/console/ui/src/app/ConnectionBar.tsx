import { useEffect, useState } from 'react';
import { connection, replayed } from '../gateway/live';
import { useStore } from '../gateway/store';

/** How long the page says what came in late, milliseconds. */
const SAID = 6_000;

/** Whether what the page shows is true right now. */
export function ConnectionBar() {
  const now = useStore(connection);
  const late = useStore(replayed);
  const [returned, setReturned] = useState(false);
  const [wasAway, setWasAway] = useState(false);
  useEffect(() => {
    if (now === 'away') setWasAway(true);
    if (now !== 'live' || !wasAway) return;
    setReturned(true);
    const timer = setTimeout(() => { setReturned(false); setWasAway(false); }, SAID);
    return () => clearTimeout(timer);
  }, [now, wasAway, late]);
  return (
    <div role="status" className={`connection ${now}`} data-connection={now}>
      {now === 'connecting' && <span className="quiet">Connecting…</span>}
      {now === 'away' && <strong>The gateway cannot be reached. What you see may be out of date; reconnecting…</strong>}
      {now === 'live' && !returned && <span className="quiet"><i className="dot" aria-hidden="true" />Live</span>}
      {now === 'live' && returned && (
        <strong>Back again.{late > 0 && ` ${late} ${late === 1 ? 'change' : 'changes'} that you missed ${late === 1 ? 'has' : 'have'} come in.`}</strong>
      )}
    </div>
  );
}
