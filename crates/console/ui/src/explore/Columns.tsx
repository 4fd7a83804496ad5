import type { Question } from './question';
import type { Column, Subject } from './subject';

/** Which columns of the rows are shown, in the order in which they are chosen. */
export function Columns({
  question: { columns },
  subject,
  change,
}: {
  question: Question;
  subject: Subject;
  change: (columns: string[]) => void;
}) {
  const groups = [...Map.groupBy(subject.columns, ({ relation }) => relation)];
  const turn = ({ path }: Column, isOn: boolean) =>
    change(isOn ? [...columns, path] : columns.filter((one) => one !== path));
  return (
    <fieldset className="choice-list">
      <legend>Columns</legend>
      {groups.map(([relation, all]) => {
        const chosen = all.filter(({ path }) => columns.includes(path)).length;
        return (
          <details key={relation} open={relation === ''}>
            <summary>
              {relation || subject.label} <span className="quiet">{chosen > 0 && `${chosen} of ${all.length}`}</span>
            </summary>
            <div className="some">
              {all.map((column) => (
                <label key={column.path} title={column.description}>
                  <input
                    type="checkbox"
                    checked={columns.includes(column.path)}
                    onChange={(event) => turn(column, event.target.checked)}
                  />{' '}
                  {column.label}
                </label>
              ))}
            </div>
          </details>
        );
      })}
    </fieldset>
  );
}
