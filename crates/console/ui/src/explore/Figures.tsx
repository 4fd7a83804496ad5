import { Choice } from '../parts/Choice';
import { figureLabel } from './answer';
import { ColumnSelect } from './ColumnSelect';
import { List } from './List';
import { COUNT, figureName, type Question, type Wanted } from './question';
import type { Figured, Subject } from './subject';

/** What is told of each group: how many rows there are, and what the schema tells of a column's values. */
export function Figures({
  question: { wanted },
  subject,
  change,
}: {
  question: Question;
  subject: Subject;
  change: (wanted: Wanted[]) => void;
}) {
  const { figured } = subject;
  const find = (path: string) => figured.find((one) => one.path === path);
  const isFree = (one: Wanted) => !wanted.some((other) => figureName(other) === figureName(one));
  /** The figure of a column that is meant most likely and is not there yet. */
  const first = ({ path, figures }: Figured): Wanted | undefined => {
    const free = figures.filter(({ name }) => isFree({ column: path, figure: name }));
    const best = LIKELY.flatMap((name) => free.filter((one) => one.name === name))[0] ?? free[0];
    return best && { column: path, figure: best.name };
  };
  const sums = figured.filter(({ figures }) => figures.some(({ name }) => LIKELY.includes(name)));
  const next = isFree(COUNT) ? COUNT : [...sums, ...figured].map(first).find((one) => one !== undefined);
  const label = ({ column, figure }: Wanted) => (column ? `${find(column)?.label ?? column}, ${figure}` : 'Number');
  return (
    <List
      title="Figures"
      one="Figure"
      items={wanted}
      next={next}
      change={change}
      name={label}
      empty="Nothing yet: how many there are."
    >
      {({ column, figure }, replace, place) => {
        const found = find(column);
        const figures = found?.figures.filter(({ name }) => name === figure || isFree({ column, figure: name }));
        return (
          <>
            <ColumnSelect
              label={`${place}, of what`}
              value={column}
              none={{ value: '', label: `Number of ${subject.label.toLowerCase()}` }}
              columns={figured.filter((one) => one.path === column || first(one))}
              choose={(path) => {
                const chosen = find(path);
                replace((chosen && first(chosen)) ?? COUNT);
              }}
            />
            {found && figures && (
              <Choice
                label={`${place}, which`}
                value={figure}
                values={Object.fromEntries(figures.map(({ name }) => [name, figureLabel(name, found.scalar)]))}
                choose={(figure) => replace({ column, figure })}
              />
            )}
          </>
        );
      }}
    </List>
  );
}

const LIKELY = ['sum', 'unweightedAvg', 'avg'];
