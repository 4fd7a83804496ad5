import { Choice } from '../parts/Choice';
import { figureLabel } from './answer';
import { orderNames } from './check';
import { figureName, FIRST, type Question } from './question';
import type { Subject } from './subject';

const DIRECTIONS = { DESC: 'greatest first', ASC: 'least first' };

/** What comes first, and how many at a time. */
export function Ordering({
  question,
  subject,
  change,
}: {
  question: Question;
  subject: Subject;
  change: (change: Partial<Question>) => void;
}) {
  const { order, mode, keys, first } = question;
  if (mode === 'groups' && keys.length === 0) return null;
  const usual = mode === 'groups' ? 'the keys' : 'the usual order';
  const names = orderNames(question, subject).map((name) => [name, orderLabel(name, question, subject)]);
  return (
    <fieldset className="choice-list">
      <legend>Order and number</legend>
      <div className="controls">
        <Choice
          label="Order by"
          value={order?.by ?? ''}
          values={{ '': `by ${usual}`, ...(Object.fromEntries(names) as Record<string, string>) }}
          choose={(by) => change({ order: by ? { by, direction: order?.direction ?? 'DESC' } : undefined })}
        />
        {order && (
          <Choice
            label="Direction"
            value={order.direction}
            values={DIRECTIONS}
            choose={(direction) => change({ order: { ...order, direction } })}
          />
        )}
        <Choice
          label={mode === 'groups' ? 'How many groups at a time' : 'How many rows at a time'}
          value={String(first)}
          // A link may ask for another number.
          values={Object.fromEntries(
            [...new Set([...FIRST, first])].sort((a, b) => a - b).map((one) => [one, `${one} at a time`]),
          )}
          choose={(first) => change({ first: Number(first) })}
        />
      </div>
    </fieldset>
  );
}

function orderLabel(name: string, { mode, wanted }: Question, subject: Subject) {
  const figure = mode === 'groups' ? wanted.find((one) => figureName(one) === name) : undefined;
  if (!figure) return `by ${subject.columns.find(({ path }) => path === name)?.label ?? name}`;
  if (!figure.column) return 'by number';
  const column = subject.figured.find(({ path }) => path === figure.column);
  return `by ${column?.label}: ${figureLabel(figure.figure, column?.scalar ?? '')}`;
}
