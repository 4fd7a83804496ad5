import { named, words } from '../parts/format';
import { problem } from '../gateway/problem';
import { MOST_KEYS, type Question } from './question';
import type { Subject } from './subject';

interface Props {
  error: unknown;
  question: Question;
  subject: Subject;
  change: (change: Partial<Question>) => void;
  organizationCurrency: string;
}

/** Does what the gateway advises where what must not be added would be: a group for each, or one of them only. */
export function MixedUnits({ error, question, subject, change, organizationCurrency }: Props) {
  const { code, field } = problem(error);
  if (code !== 'MIXED_UNITS' || !field) return null;
  const key = subject.keys.find(({ path }) => path === field);
  const column = subject.filterable.find(({ path }) => path === field);
  const values = column?.values ?? (field === 'currency' && organizationCurrency ? [organizationCurrency] : []);
  const others = question.conditions.filter(({ path }) => path !== field);
  return (
    <p className="actions">
      {key && question.keys.length < MOST_KEYS && (
        <button
          className="button"
          onClick={() => change({ mode: 'groups', keys: [...question.keys, { path: field }] })}
        >
          Group by {named(field).toLowerCase()}
        </button>
      )}
      {column &&
        values.slice(0, 12).map((value) => (
          <button
            key={value}
            className="button"
            onClick={() => change({ conditions: [...others, { path: field, operator: 'eq', value }] })}
          >
            Only {words(value) === value || column.values === undefined ? value : words(value)}
          </button>
        ))}
    </p>
  );
}
