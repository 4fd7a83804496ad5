import { operatorsFor } from './conditions';
import { COUNT, BUCKETS, figureName, MOST_KEYS, type Question } from './question';
import type { Key, Subject } from './subject';

/** A question that the schema can answer, and what of the address had to be left out for that. */
export interface Checked {
  question: Question;
  left: string[];
}

export function check(asked: Question, subject: Subject): Checked {
  const left: string[] = [];
  const keep = <T>(all: T[], name: (one: T) => string, isThere: (one: T) => boolean) =>
    all.filter((one, at) => {
      if (isThere(one) && all.findIndex((other) => name(other) === name(one)) === at) return true;
      left.push(name(one));
      return false;
    });
  const key = new Map(subject.keys.map((one) => [one.path, one]));
  const keys = keep(
    asked.keys,
    ({ path }) => path,
    ({ path }) => key.has(path),
  )
    .slice(0, MOST_KEYS)
    .map(({ path, bucket }) => {
      if (!key.get(path)?.isTime) return { path };
      if (bucket && !(bucket in BUCKETS)) left.push(`${path}:${bucket}`);
      return { path, bucket: bucket && bucket in BUCKETS ? bucket : ('MONTH' as const) };
    });
  const wanted = keep(asked.wanted, figureName, (one) => figureOf(subject, one) !== undefined);
  const columns = keep(
    asked.columns,
    (path) => path,
    (path) => subject.columns.some((one) => one.path === path),
  );
  const conditions = asked.conditions.filter(({ path, operator }) => {
    const found = subject.filterable.find((one) => one.path === path);
    if (found && operatorsFor(found).includes(operator)) return true;
    left.push(`${path}:${operator}`);
    return false;
  });
  const question = { ...asked, keys, wanted, columns, conditions };
  // A type by itself is asked about in the way that says something about most.
  if (asked.keys.length + asked.wanted.length + asked.columns.length === 0) Object.assign(question, usual(subject));
  if (question.wanted.length === 0) question.wanted = [COUNT];
  if (question.mode === 'rows' && question.columns.length === 0) question.columns = usual(subject).columns;
  if (asked.order && !orderNames(question, subject).includes(asked.order.by)) {
    left.push(asked.order.by);
    question.order = undefined;
  }
  return { question, left };
}

/** The figure of a column, if the schema has it. */
export function figureOf({ figured }: Subject, { column, figure }: Question['wanted'][number]) {
  if (!column) return figure === 'count' ? { name: 'count', scalar: 'Int', orders: true } : undefined;
  return figured.find(({ path }) => path === column)?.figures.find(({ name }) => name === figure);
}

/** By what the answer to a question can be ordered: by its keys and its figures, or by a column of the rows. */
export function orderNames({ mode, keys, wanted }: Question, subject: Subject): string[] {
  if (mode === 'rows') return subject.orders.map(({ path }) => path);
  const figures = wanted.filter((one) => figureOf(subject, one)?.orders);
  return keys.length === 0 ? [] : [...figures.map(figureName), ...keys.map(({ path }) => path)];
}

const isId = ({ path, scalar }: { path: string; scalar: string }) =>
  /(^|\.)id$|Id$|^organization/.test(path) || scalar === 'UUID';

/** How rows of a type are looked at first: how many there are of each kind; their own columns. */
export function usual({ keys, columns }: Subject): Pick<Question, 'keys' | 'wanted' | 'columns'> {
  const own = (one: Key) => !one.relation && !isId(one);
  const first = keys.find((one) => own(one) && one.values) ?? keys.find((one) => own(one) && !one.isTime);
  return {
    keys: first ? [{ path: first.path }] : [],
    wanted: [COUNT],
    columns: columns
      .filter((one) => !one.relation && !isId(one) && one.path !== 'rowVersion')
      .slice(0, 7)
      .map(({ path }) => path),
  };
}
