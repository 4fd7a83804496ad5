import { useEffect, useRef, useState } from 'react';
import { connection, replayed } from '../gateway/live';
import { useStore } from '../gateway/store';

/** How long the page says what came in late, milliseconds. */
const SAID = 6_000;

/** Whether what the page shows is true right now. */
export function ConnectionBar() {
  const now = useStore(connection);
  const late = useStore(replayed);
  const [returned, setReturned] = useState(false);
  const wasAway = useRef(false);
  useEffect(() => {
    if (now !== 'live') {
      wasAway.current ||= now === 'away';
      return;
    }
    if (!wasAway.current && late === 0) return;
    wasAway.current = false;
    setReturned(true);
    const timer = setTimeout(() => setReturned(false), SAID);
    return () => clearTimeout(timer);
  }, [now, late]);
  return (
    <div role="status" className={`connection ${now}`} data-connection={now}>
      {now === 'connecting' && <span className="quiet">Connecting…</span>}
      {now === 'away' && <strong>The gateway cannot be reached. What you see may be out of date; reconnecting…</strong>}
      {now === 'live' && !returned && (
        <span className="quiet">
          <i className="dot" aria-hidden="true" />
          Live
        </span>
      )}
      {now === 'live' && returned && (
        <strong>
          Back again.
          {late > 0 &&
            ` ${late} ${late === 1 ? 'change' : 'changes'} that you missed ${late === 1 ? 'has' : 'have'} come in.`}
        </strong>
      )}
    </div>
  );
}
