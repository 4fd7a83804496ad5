import { useState } from 'react';
import { Choice } from '../parts/Choice';
import { words } from '../parts/format';
import { ColumnSelect } from './ColumnSelect';
import { begin, emptyValue, formOf, operand, operatorLabel, operatorsFor } from './conditions';
import { List } from './List';
import type { Condition, Question } from './question';
import type { Filterable, Subject } from './subject';

/** Which rows are counted: those for which all of this holds. */
export function Conditions({
  question: { conditions },
  subject,
  change,
}: {
  question: Question;
  subject: Subject;
  change: (conditions: Condition[]) => void;
}) {
  const filterable = subject.filterable.filter((one) => operatorsFor(one).length > 0);
  const find = (path: string) => filterable.find((one) => one.path === path);
  const next = filterable.find(({ values, relation }) => values && !relation) ?? filterable[0];
  return (
    <List
      title="Only where"
      one="Condition"
      items={conditions}
      next={next && begin(next)}
      change={change}
      name={({ path }) => find(path)?.label ?? path}
      empty="All of them."
    >
      {(condition, replace, place) => {
        const column = find(condition.path);
        if (!column) return null;
        const operators = operatorsFor(column).map((one) => [one, operatorLabel(one, column)]);
        return (
          <>
            <ColumnSelect
              label={`${place}, of what`}
              value={condition.path}
              columns={filterable}
              choose={(path) => replace(begin(find(path) ?? column))}
            />
            <Choice
              label={`${place}, comparison`}
              value={condition.operator}
              values={Object.fromEntries(operators) as Record<string, string>}
              choose={(operator) => {
                const other = { ...condition, operator };
                const isSame = formOf(other, column) === formOf(condition, column);
                replace(isSame ? other : { ...other, value: emptyValue(other, column) });
              }}
            />
            <Operand
              key={`${condition.path} ${condition.operator}`}
              label={`${place}, value`}
              condition={condition}
              column={column}
              change={(value) => replace({ ...condition, value })}
            />
          </>
        );
      }}
    </List>
  );
}

interface OperandProps {
  label: string;
  condition: Condition;
  column: Filterable;
  change: (value: string) => void;
}

function Operand({ label, condition, column, change }: OperandProps) {
  const { value } = condition;
  switch (formOf(condition, column)) {
    case 'yesNo':
      return <Choice label={label} value={value} values={{ true: 'yes', false: 'no' }} choose={change} />;
    case 'one':
      return <Choice label={label} value={value} values={inWords(column.values)} choose={change} />;
    case 'some':
      return <Some label={label} value={value} values={column.values ?? []} change={change} />;
    default:
      return <Typed label={label} condition={condition} column={column} change={change} />;
  }
}

const inWords = (values: string[] = []) => Object.fromEntries(values.map((value) => [value, words(value)]));

function Some({
  label,
  value,
  values,
  change,
}: {
  label: string;
  value: string;
  values: string[];
  change: (value: string) => void;
}) {
  const chosen = value.split(',').filter(Boolean);
  return (
    <fieldset className="some">
      <legend className="hidden">{label}</legend>
      {chosen.length === 0 && <small className="quiet">Nothing is chosen, so this is not asked yet.</small>}
      {values.map((one) => (
        <label key={one}>
          <input
            type="checkbox"
            checked={chosen.includes(one)}
            onChange={(event) =>
              change(
                values.filter((other) => (other === one ? event.target.checked : chosen.includes(other))).join(','),
              )
            }
          />{' '}
          {words(one)}
        </label>
      ))}
    </fieldset>
  );
}

/** What is typed is asked when it is whole: not letter by letter. */
function Typed({ label, condition, column, change }: OperandProps) {
  const [typed, setTyped] = useState(condition.value);
  // The address has another value since: by going back, or by a link.
  const [known, setKnown] = useState(condition.value);
  if (known !== condition.value) {
    setKnown(condition.value);
    setTyped(condition.value);
  }
  const form = formOf(condition, column);
  const isWrong = typed.trim() !== '' && operand({ ...condition, value: typed }, column) === undefined;
  const done = () => typed !== condition.value && change(typed);
  return (
    <span className="typed">
      <input
        className="plain"
        aria-label={label}
        aria-invalid={isWrong}
        type={form === 'day' ? 'date' : 'text'}
        inputMode={form === 'number' ? 'decimal' : undefined}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={done}
        onKeyDown={(event) => event.key === 'Enter' && done()}
      />
      {typed.trim() === '' && <small className="quiet">Nothing is said, so this is not asked yet.</small>}
      {isWrong && <small className="bad">{HOW[form]}</small>}
    </span>
  );
}

const HOW: Partial<Record<string, string>> = { number: 'A number is written as -1234.56.', day: 'This is no day.' };
