import { useState } from 'react';
import { client } from '../gateway/client';
import { ReasonDialog } from '../parts/ReasonDialog';
import { EditVariable } from './operations';
import type { VariableRow } from './Outline';

interface Props {
  variable: VariableRow;
  reasonRequired: boolean;
  onStale: () => void;
  onClose: (done: boolean) => void;
}

/** Asks for the new value of a variable and why. */
export function VariableEditor({ variable, reasonRequired, onStale, onClose }: Props) {
  const [value, setValue] = useState(variable.value);
  return (
    <ReasonDialog
      title={`Edit ${variable.label}`}
      action="Save"
      reasonRequired={reasonRequired}
      onConflict={onStale}
      onClose={onClose}
      explanation={
        <p className="quiet">
          Now {variable.value}.{' '}
          {variable.baselineValue == null
            ? 'No value is agreed yet, so a change is no drift.'
            : `Agreed is ${variable.baselineValue}; another value is drift until it is settled.`}
        </p>
      }
      submit={async (reason) => {
        const answer = await client
          .mutation(EditVariable, {
            id: variable.id,
            expectedVersion: variable.rowVersion,
            value: value.trim(),
            reason: reason.reason || undefined,
            reasonCategory: reason.reasonCategory,
          })
          .toPromise();
        if (answer.error) throw answer.error;
      }}
    >
      <label className="field">
        <span>New value{variable.unit && ` (${variable.unit})`}</span>
        <input value={value} required autoFocus onChange={(event) => setValue(event.target.value)} />
      </label>
    </ReasonDialog>
  );
}
