import { Fragment } from 'react';
import type { Table } from './answer';

/** The answer in numbers. What all values of a column are in stands in its head, else beside each. */
export function AnswerTable({ table: { heads, rows }, title }: { table: Table; title: string }) {
  const units = heads.map((_, at) => {
    const all = new Set(rows.flatMap((row) => (row[at]!.value === null ? [] : [row[at]!.unit])));
    return all.size === 1 ? [...all][0]! : null;
  });
  const keys = heads.filter(({ role }) => role === 'key').length;
  return (
    <div className="answer-table" tabIndex={0} role="region" aria-label={title}>
      <table>
        <thead>
          <tr>
            {heads.map(({ id, label, description, isNumber }, at) => (
              <th key={id} scope="col" className={isNumber ? 'number' : undefined} title={description}>
                {label}
                {units[at] && <span className="quiet"> {units[at]}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place}>
              {row.map(({ value, unit }, at) => {
                const head = heads[at]!;
                const content = (
                  <Fragment>
                    {head.text(value)}
                    {unit && units[at] === null && <span className="quiet"> {unit}</span>}
                  </Fragment>
                );
                const className = head.isNumber ? 'number' : head.isText ? 'text' : undefined;
                return at < keys ? (
                  <th key={head.id} scope="row" className={className}>
                    {content}
                  </th>
                ) : (
                  <td key={head.id} className={className}>
                    {content}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
