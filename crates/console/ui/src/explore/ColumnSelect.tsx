import type { Column } from './subject';

interface Props {
  label: string;
  value: string;
  columns: Column[];
  choose: (path: string) => void;
  /** What may be chosen beside the columns, before them. */
  none?: { value: string; label: string };
}

/** One of the columns: those of the rows first, then those of each relation by itself. */
export function ColumnSelect({ label, value, columns, choose, none }: Props) {
  const groups = [...Map.groupBy(columns, ({ relation }) => relation)];
  const chosen = columns.find(({ path }) => path === value);
  return (
    <select
      className="plain"
      aria-label={label}
      title={chosen?.description}
      value={value}
      onChange={(event) => choose(event.target.value)}
    >
      {none && <option value={none.value}>{none.label}</option>}
      {groups.map(([relation, columns]) => {
        const options = columns.map(({ path, label }) => (
          <option key={path} value={path}>
            {label}
          </option>
        ));
        return relation ? (
          <optgroup key={relation} label={relation}>
            {options}
          </optgroup>
        ) : (
          options
        );
      })}
    </select>
  );
}
