interface Props<T extends string> {
  label: string;
  value: T;
  /** What may be chosen, each with its words. */
  values: Record<T, string>;
  choose: (value: T) => void;
}

/** One of few, in the head of a section. */
export function Choice<T extends string>({ label, value, values, choose }: Props<T>) {
  return (
    <label className="choice">
      <span className="hidden">{label}</span>
      <select className="plain" value={value} onChange={(event) => choose(event.target.value as T)}>
        {Object.entries<string>(values).map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
