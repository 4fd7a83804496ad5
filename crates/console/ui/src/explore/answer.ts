import { isPercentage } from '../overview/metrics';
import type { MetricType } from '../gql/graphql';
import { day, exact, month, named, when, words } from '../parts/format';
import { operand, isNumber } from './conditions';
import { CURRENCY, METRIC } from './operation';
import { figureOf } from './check';
import { BUCKETS, figureName, type Bucket, type Question, type Wanted } from './question';
import type { Column, Subject } from './subject';

export type Value = string | number | boolean | null;

/** A column of the answer. */
export interface Head {
  id: string;
  label: string;
  description: string;
  role: 'key' | 'figure' | 'column';
  isNumber: boolean;
  /** Whether it is a text, which may be long. */
  isText: boolean;
  /** Whether it only counts: what is counted has no unit. */
  counts: boolean;
  /** Of a day or a moment as a key, what it is a bucket of. */
  bucket?: Bucket;
  text: (value: Value) => string;
}

export interface Cell {
  value: Value;
  /** A currency or the percent sign, where it is known. */
  unit: string;
}

export interface Table {
  heads: Head[];
  rows: Cell[][];
}

type Tree = { [name: string]: Value | Tree | undefined } | null | undefined;

/** A row of the answer as it came: a group, or a row of the list. */
export type Node = NonNullable<Tree>;

const FIGURES: Record<string, string> = {
  count: 'number of values',
  countDistinct: 'different values',
  sum: 'sum',
  avg: 'mean',
  unweightedAvg: 'unweighted mean',
  min: 'least',
  max: 'greatest',
  median: 'median',
  p90: '90th percentile',
  stddev: 'standard deviation',
  variance: 'variance',
  share: 'share of the whole',
  running: 'running sum',
  any: 'any',
  every: 'every',
};
const OF_TIME: Record<string, string> = { min: 'first', max: 'last' };

export const figureLabel = (figure: string, scalar: string) =>
  (/^Date/.test(scalar) ? OF_TIME[figure] : undefined) ?? FIGURES[figure] ?? named(figure).toLowerCase();

/** The answer as a table, each number with all of its digits and in what it is. */
export function table(question: Question, subject: Subject, nodes: Node[], organizationCurrency: string): Table {
  const columns = columnsOf(question, subject);
  return {
    heads: columns.map(({ head }) => head),
    rows: nodes.map((node) =>
      columns.map(({ read, unit }) => {
        const value = read(node);
        return { value, unit: value === null ? '' : unitText(unit, node, question, subject, organizationCurrency) };
      }),
    ),
  };
}

interface Told {
  head: Head;
  read: (node: Node) => Value;
  /** The column whose unit it is in, if it is in one. */
  unit?: Column;
}

function columnsOf(question: Question, subject: Subject): Told[] {
  const ordinal = new Set(subject.figured.filter(({ isOrdinal }) => isOrdinal).map(({ path }) => path));
  if (question.mode === 'rows')
    return question.columns.flatMap((path): Told[] => {
      const column = subject.columns.find((one) => one.path === path);
      if (!column) return [];
      const { label, description, scalar } = column;
      const head = { id: path, label, description, role: 'column', ...kind(scalar), counts: false } as const;
      return [{ head: { ...head, text: textOf(column, ordinal) }, read: (node) => at(node, path), unit: column }];
    });
  const keys = question.keys.flatMap(({ path, bucket }): Told[] => {
    const key = subject.keys.find((one) => one.path === path);
    if (!key) return [];
    const { label, description, scalar } = key;
    const head = { id: path, description, role: 'key', ...kind(scalar), counts: false, bucket } as const;
    return [
      {
        head: {
          ...head,
          label: bucket ? `${label}, ${BUCKETS[bucket]}` : label,
          text: bucket
            ? (value) => (value === null ? NOTHING : bucketText(String(value), bucket))
            : textOf(key, ordinal),
        },
        read: (node) => at(node, `key.${path}`),
        unit: key,
      },
    ];
  });
  return [...keys, ...question.wanted.flatMap((wanted) => figureColumn(wanted, subject, ordinal))];
}

const kind = (scalar: string) => ({ isNumber: isNumber(scalar), isText: scalar === 'String' });

const COUNTING = new Set(['count', 'countDistinct']);
/** Figures in another unit than the values: a share, and what is squared. */
const UNITLESS = new Set([...COUNTING, 'share', 'variance', 'any', 'every']);

function figureColumn(wanted: Wanted, subject: Subject, ordinal: Set<string>): Told[] {
  const figure = figureOf(subject, wanted);
  const column = subject.figured.find(({ path }) => path === wanted.column);
  if (!figure) return [];
  const label = column
    ? `${column.label}: ${figureLabel(wanted.figure, column.scalar)}`
    : `Number of ${subject.label.charAt(0).toLowerCase()}${subject.label.slice(1)}`;
  const told = { path: wanted.column, scalar: figure.scalar, values: column?.values };
  const text =
    wanted.figure === 'share'
      ? (value: Value) => (value === null ? NOTHING : exact(value as string, 'percent'))
      : textOf(told, COUNTING.has(wanted.figure) ? new Set() : ordinal);
  return [
    {
      head: {
        id: figureName(wanted),
        label,
        description: column?.description ?? subject.description,
        role: 'figure',
        ...kind(figure.scalar),
        counts: COUNTING.has(wanted.figure),
        text,
      },
      read: (node) => at(node, figureName(wanted)),
      unit: UNITLESS.has(wanted.figure) ? undefined : column,
    },
  ];
}

function at(node: Node, path: string): Value {
  let here: Tree | Value = node;
  for (const name of path.split('.')) here = here && typeof here === 'object' ? here[name] : null;
  return here === undefined || (here !== null && typeof here === 'object') ? null : here;
}

/** What stands where nothing is known. */
const NOTHING = '–';

function textOf({ path, scalar, values }: Pick<Column, 'path' | 'scalar' | 'values'>, ordinal: Set<string>) {
  return (value: Value): string => {
    if (value === null || value === '') return NOTHING;
    if (typeof value === 'boolean') return value ? 'Yes' : 'No';
    if (isNumber(scalar)) return ordinal.has(path) ? String(value) : exact(value);
    if (scalar === 'Date') return day(String(value));
    if (scalar === 'DateTime') return when(String(value));
    return values ? words(String(value)) : String(value);
  };
}

/** A bucket by its first day. Fiscal ones begin where the organization's year does, and are told by that day. */
function bucketText(first: string, bucket: Bucket): string {
  switch (bucket) {
    case 'MONTH':
      return month(first);
    case 'QUARTER':
      return `Q${Math.floor(new Date(first).getUTCMonth() / 3) + 1} ${first.slice(0, 4)}`;
    case 'YEAR':
      return first.slice(0, 4);
    case 'DAY':
      return day(first);
    case 'WEEK':
    case 'FISCAL_QUARTER':
    case 'FISCAL_YEAR':
      return `from ${day(first)}`;
  }
}

/** The currency of a row or a group, or percent; nothing where it is not known for sure. */
function unitText(
  column: Column | undefined,
  node: Node,
  question: Question,
  subject: Subject,
  organizationCurrency: string,
): string {
  if (!column) return '';
  if (column.unit === 'percent') return '%';
  if (column.unit === 'organization') return organizationCurrency;
  if (column.unit === 'none') return '';
  const prefix = column.relation ? column.path.replace(/[^.]+$/, '') : '';
  const told = (name: string) =>
    question.mode === 'rows' ? at(node, prefix + name) : (at(node, `key.${name}`) ?? only(name, question, subject));
  if (column.unit === 'metric') {
    const metric = told(METRIC);
    if (metric === null) return '';
    if (isPercentage(metric as MetricType)) return '%';
  }
  const [least, most] = [at(node, `${CURRENCY}.min`), at(node, `${CURRENCY}.max`)];
  return String(told(CURRENCY) ?? (least === most ? (least ?? '') : ''));
}

/** The one value of a column that the conditions let through, if they let through one. */
function only(path: string, { conditions }: Question, { filterable }: Subject): Value {
  const condition = conditions.find((one) => one.path === path && one.operator === 'eq');
  const column = filterable.find((one) => one.path === path);
  const value = condition && column && operand(condition, column);
  return typeof value === 'string' ? value : null;
}
