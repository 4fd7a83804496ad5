import { useEffect, useRef, useState } from 'react';
import { useEvents } from '../gateway/live';
import type { Topic } from '../gql/graphql';

/** How long a row is marked after it changed, milliseconds; the animation in `drift.css` is as long. */
const FRESH = 6_000;

/** The class of a row by its id: `fresh` for a while after it changed. A second change starts the fading anew. */
export function useFresh(topic: Topic) {
  const [marks, setMarks] = useState<ReadonlyMap<string, { again: boolean }>>(new Map());
  const latest = useRef(marks);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());

  const change = (apply: (marks: Map<string, { again: boolean }>) => void) => {
    const next = new Map(latest.current);
    apply(next);
    latest.current = next;
    setMarks(next);
  };
  useEvents(({ topic: about, id }) => {
    if (about !== topic || !id) return;
    const mark = { again: !(latest.current.get(id)?.again ?? true) };
    change((marks) => marks.set(id, mark));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      change((marks) => marks.get(id) === mark && marks.delete(id));
    }, FRESH);
    timers.current.add(timer);
  });
  useEffect(() => {
    const pending = timers.current;
    return () => {
      pending.forEach(clearTimeout);
      pending.clear();
    };
  }, []);
  return (id: string) => {
    const mark = marks.get(id);
    return mark ? (mark.again ? 'fresh again' : 'fresh') : '';
  };
}
