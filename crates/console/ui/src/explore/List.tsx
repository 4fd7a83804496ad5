import { useRef, type ReactNode } from 'react';

interface Props<T> {
  title: string;
  /** What one of them is called. */
  one: string;
  items: T[];
  /** What is added next; nothing if there is no more. */
  next?: T;
  change: (items: T[]) => void;
  /** What an item is about, for who does not see where a button stands. */
  name: (item: T) => string;
  children: (item: T, replace: (item: T) => void, place: string) => ReactNode;
  empty: string;
}

/** What can be chosen several times: each with what it is, and a way to be rid of it; and one more. */
export function List<T>({ title, one, items, next, change, name, children, empty }: Props<T>) {
  const list = useRef<HTMLFieldSetElement>(null);
  // The button that was pressed goes away with what it was for: the focus stays in the list.
  const remove = (at: number) => {
    change(items.filter((_, place) => place !== at));
    list.current?.querySelector<HTMLElement>('button.add')?.focus();
  };
  return (
    <fieldset className="choice-list" ref={list}>
      <legend>{title}</legend>
      {items.length === 0 && <p className="quiet">{empty}</p>}
      <ul>
        {items.map((item, at) => (
          <li key={at}>
            <div className="controls">
              {children(
                item,
                (other) => change(items.map((before, place) => (place === at ? other : before))),
                `${one} ${at + 1}`,
              )}
            </div>
            <button
              type="button"
              className="button small"
              aria-label={`Remove ${one.toLowerCase()} ${at + 1}: ${name(item)}`}
              onClick={() => remove(at)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        className="button small add"
        aria-disabled={next === undefined}
        onClick={() => next !== undefined && change([...items, next])}
      >
        Add a {one.toLowerCase()}
      </button>
    </fieldset>
  );
}
