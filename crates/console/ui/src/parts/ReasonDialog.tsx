import { useId, useLayoutEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { problem } from '../gateway/problem';
import type { ReasonCategory } from '../gql/graphql';
import { Problem } from './Problem';
import './reason-dialog.css';

const CATEGORIES: Record<ReasonCategory, string> = {
  BORROWER_REQUEST: 'Borrower request',
  MARKET_CONDITIONS: 'Market conditions',
  CREDIT_UPDATE: 'Credit update',
  LEGAL_REQUIREMENT: 'Legal requirement',
  OTHER: 'Other',
};

/** Why something is done, as the audit trail keeps it. */
export interface Reason {
  reason: string;
  reasonCategory?: ReasonCategory;
}

interface Props {
  title: string;
  explanation: ReactNode;
  /** What the button that does it says. */
  action: string;
  /** Does it; what it throws is shown and the dialog stays. */
  submit: (reason: Reason) => Promise<void>;
  /** The dialog is over; done says whether by success. */
  onClose: (done: boolean) => void;
  /** Reads again what somebody else has changed meanwhile. */
  onConflict: () => void;
  /** Why it cannot be done any more, when somebody else was first; what was typed stays in sight. */
  over?: string;
  /** Whether it cannot be done without a reason; true unless said. */
  reasonRequired?: boolean;
  /** Whether the kind of the reason is asked for; true unless said. */
  withCategory?: boolean;
  /** Fields of its own, above the reason. */
  children?: ReactNode;
}

/** Asks for the reason of a change and does it. Closing it gives the focus back to where it was. */
export function ReasonDialog({
  title,
  explanation,
  action,
  submit,
  onClose,
  onConflict,
  over,
  reasonRequired = true,
  withCategory = true,
  children,
}: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const text = useId();
  const [reason, setReason] = useState('');
  const [category, setCategory] = useState<ReasonCategory | ''>('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  // Closed before it is taken off the page: only then does the browser give the focus back.
  useLayoutEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);

  function end(done: boolean) {
    // Closed first, so that whoever asked may lead the focus elsewhere.
    dialog.current?.close();
    onClose(done);
  }

  async function send(event: FormEvent) {
    event.preventDefault();
    if (busy || over) return;
    setBusy(true);
    setError(null);
    try {
      await submit({ reason: reason.trim(), reasonCategory: category || undefined });
      end(true);
    } catch (error) {
      setError(error);
      setBusy(false);
      if (problem(error).code === 'CONFLICT') onConflict();
    }
  }

  return (
    <dialog
      ref={dialog}
      className="reason-dialog"
      aria-labelledby={heading}
      aria-describedby={text}
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) end(false);
      }}
    >
      <form onSubmit={(event) => void send(event)}>
        <h2 id={heading}>{title}</h2>
        <div id={text}>{explanation}</div>
        {children}
        <label className="field">
          <span>{reasonRequired ? 'Reason' : 'Reason (optional)'}</span>
          <textarea
            value={reason}
            required={reasonRequired}
            maxLength={2000}
            onChange={(event) => {
              setReason(event.target.value);
              event.target.setCustomValidity(reasonRequired && !event.target.value.trim() ? 'Say why.' : '');
            }}
          />
        </label>
        {withCategory && (
          <label className="field">
            <span>Kind of reason (optional)</span>
            <select value={category} onChange={(event) => setCategory(event.target.value as ReasonCategory | '')}>
              <option value="">None</option>
              {Object.entries(CATEGORIES).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        )}
        {/* While it is sent, it is oneself who was first. */}
        {over && !busy && (
          <p className="meanwhile" role="alert">
            {over}
          </p>
        )}
        {error !== null && !over && problem(error).code === 'CONFLICT' && (
          <p className="meanwhile">
            It has changed meanwhile. The newest values are read now: look at them, then try again.
          </p>
        )}
        {error !== null && <Problem error={error} />}
        <p className="buttons">
          <button type="button" className="button" disabled={busy} onClick={() => end(false)}>
            Cancel
          </button>
          <button className="button main" disabled={busy || Boolean(over)}>
            {busy ? 'Sending…' : action}
          </button>
        </p>
      </form>
    </dialog>
  );
}
