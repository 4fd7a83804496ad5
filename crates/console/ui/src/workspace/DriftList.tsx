import { useRef, useState } from 'react';
import { workspaceLink } from '../app/route';
import { Badge, SeverityBadge, StatusBadge } from '../parts/Badge';
import { inOrder, type DriftRow } from './drift';
import { DriftActions, DriftDialog, Values, type Action } from './DriftActions';
import { counted, when } from '../parts/format';
import { useFresh } from '../parts/useFresh';
import './drift.css';

interface Props {
  items: readonly DriftRow[];
  /** What the reader may do in a workspace, by its id. */
  permissions: (workspaceId: string) => readonly string[];
  /** Reads the items again, when one turns out to have changed meanwhile. */
  reload: () => void;
  /** Whether to say of which workspace an item is, with a link there. */
  withWorkspace?: boolean;
  /** Shows where in the agreement an item is. */
  onSelect?: (item: DriftRow) => void;
  /** What to say where nothing is unresolved. */
  nothing?: string;
}

/** Drift items, the unresolved first, each with what the reader may do about it. */
export function DriftList({
  items,
  permissions,
  reload,
  withWorkspace,
  onSelect,
  nothing = 'Nothing is unresolved.',
}: Props) {
  const list = useRef<HTMLDivElement>(null);
  const [told, setTold] = useState('');
  // Held here and not in the row: that moves or goes when somebody else settles the item.
  const [asked, setAsked] = useState<{ item: DriftRow; action: Action } | null>(null);
  const fresh = useFresh('DRIFT');
  const ordered = inOrder(items);
  const open = ordered.filter(({ status }) => status === 'UNRESOLVED');
  const settled = ordered.slice(open.length);

  const row = (item: DriftRow) => (
    <li key={item.id} className={`drift-item ${fresh(item.id)}`}>
      <div className="what">
        <SeverityBadge severity={item.severity} before={<span className="hidden">Severity </span>} />
        {item.status !== 'UNRESOLVED' && <StatusBadge status={item.status} />}
        {item.status === 'UNRESOLVED' && item.overrideRequestedAt && (
          <Badge tone="accent">Override waits for risk</Badge>
        )}
        {onSelect ? (
          <button type="button" className="link" onClick={() => onSelect(item)}>
            {item.title}
          </button>
        ) : (
          <strong>{item.title}</strong>
        )}
      </div>
      <Values item={item} />
      <p className="by">
        {withWorkspace && (
          <>
            <a href={workspaceLink(item.workspace.id)}>{item.workspace.name}</a> ·{' '}
          </>
        )}
        {item.clause.title} · edited{item.currentModifiedByUser && <> by {item.currentModifiedByUser.name}</>}{' '}
        <time dateTime={item.currentModifiedAt}>{when(item.currentModifiedAt)}</time>
      </p>
      {item.overrideRequestedAt && item.status === 'UNRESOLVED' && (
        <p className="by">
          Override asked for{item.overrideRequestedByUser && <> by {item.overrideRequestedByUser.name}</>}{' '}
          <time dateTime={item.overrideRequestedAt}>{when(item.overrideRequestedAt)}</time>
          {item.overrideReason && <>: “{item.overrideReason}”</>}
        </p>
      )}
      {item.approvedAt && (
        <p className="by">
          Settled{item.approvedByUser && <> by {item.approvedByUser.name}</>}{' '}
          <time dateTime={item.approvedAt}>{when(item.approvedAt)}</time>
          {item.approvalReason && <>: “{item.approvalReason}”</>}
        </p>
      )}
      <DriftActions
        item={item}
        permissions={permissions(item.workspaceId)}
        onAsk={(action) => setAsked({ item, action })}
      />
    </li>
  );

  return (
    <div className="drift-list" ref={list} tabIndex={-1} aria-label="Drift items">
      <p className="hidden" role="status">
        {told}
      </p>
      {open.length > 0 ? <ul>{open.map(row)}</ul> : <p className="quiet">{nothing}</p>}
      {settled.length > 0 && (
        <details open={open.length === 0}>
          <summary>{counted(settled.length, 'settled item')}</summary>
          <ul>{settled.map(row)}</ul>
        </details>
      )}
      {asked && (
        <DriftDialog
          action={asked.action}
          item={items.find(({ id }) => id === asked.item.id) ?? asked.item}
          onStale={reload}
          onClose={(sentence) => {
            setAsked(null);
            if (sentence !== null) setTold(sentence);
            // The button that was pressed goes away with what it was for.
            if (sentence !== null || document.activeElement === document.body) list.current?.focus();
          }}
        />
      )}
    </div>
  );
}
