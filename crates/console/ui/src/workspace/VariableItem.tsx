import { useState } from 'react';
import type { DriftMark } from './drift';
import { DriftBadge, type VariableRow } from './Outline';
import { VariableEditor } from './VariableEditor';

interface Props {
  variable: VariableRow;
  mark: DriftMark | undefined;
  /** The class that marks it when it has just changed. */
  fresh: string;
  node: string | undefined;
  selected: string | null;
  onSelect: (node: string) => void;
  editing: { allowed: boolean; reasonRequired: boolean };
  /** Whether the reader may know what was agreed; investors may not. */
  agreed: boolean;
  reload: () => void;
}

/** A variable in the outline: what it says, what was agreed, and a button to edit it. */
export function VariableItem({ variable, mark, fresh, node, selected, onSelect, editing, agreed, reload }: Props) {
  const [edited, setEdited] = useState(false);
  const { label, value, baselineValue } = variable;
  return (
    <li className={`variable ${fresh}`}>
      {node ? (
        <button type="button" className="pick" aria-pressed={node === selected} onClick={() => onSelect(node)}>
          {label}
        </button>
      ) : (
        <span className="pick">{label}</span>
      )}
      <DriftBadge mark={mark} />
      {editing.allowed && (
        <button type="button" className="button small" onClick={() => setEdited(true)}>
          Edit<span className="hidden"> {label}</span>
        </button>
      )}
      <p className="values">
        <strong>{value}</strong>{' '}
        {agreed && (
          <small className="quiet">
            {baselineValue == null
              ? 'nothing agreed'
              : baselineValue === value
                ? 'as agreed'
                : `agreed: ${baselineValue}`}
          </small>
        )}
      </p>
      {edited && (
        <VariableEditor
          variable={variable}
          reasonRequired={editing.reasonRequired}
          onStale={reload}
          onClose={() => setEdited(false)}
        />
      )}
    </li>
  );
}
