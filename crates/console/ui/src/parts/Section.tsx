import { useId, type ReactNode } from 'react';
import { Problem } from './Problem';
import './section.css';

interface Props {
  title: ReactNode;
  note?: ReactNode;
  className?: string;
  /** What `useLive` says of the data below. */
  state: { data?: unknown; error?: unknown; reload: () => void };
  children: ReactNode;
}

/** A part of the overview, honest about what it has: still loading, failed, or there. */
export function Section({ title, note, className = '', state, children }: Props) {
  const heading = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={heading}>
      <header className="section-head">
        <h2 id={heading}>{title}</h2>
        {note && <p className="quiet">{note}</p>}
      </header>
      {state.error != null && <Problem error={state.error} retry={state.reload} />}
      {state.data != null
        ? children
        : state.error == null && (
            <p className="quiet" role="status">
              Loading…
            </p>
          )}
    </section>
  );
}
