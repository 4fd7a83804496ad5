/** A day or a moment as a key comes in one of these. */
export const BUCKETS = {
  DAY: 'by day',
  WEEK: 'by week',
  MONTH: 'by month',
  QUARTER: 'by quarter',
  YEAR: 'by year',
  FISCAL_QUARTER: 'by fiscal quarter',
  FISCAL_YEAR: 'by fiscal year',
};
export type Bucket = keyof typeof BUCKETS;

export type Mode = 'groups' | 'rows';

export interface Keyed {
  path: string;
  bucket?: Bucket;
}

/** What is told of a column; of no column, how many rows there are. */
export interface Wanted {
  column: string;
  figure: string;
}

export interface Condition {
  path: string;
  operator: string;
  /** As it is written; nothing yet where it is still to be said. */
  value: string;
}

export interface Order {
  /** A column, or a column's figure: `value.sum`. */
  by: string;
  direction: 'ASC' | 'DESC';
}

/** What is asked, whole: the address of the page says the same, and nothing else is remembered. */
export interface Question {
  root: string;
  mode: Mode;
  keys: Keyed[];
  wanted: Wanted[];
  columns: string[];
  conditions: Condition[];
  order?: Order;
  first: number;
  /** Which figure is drawn, and of which unit, where that is to be chosen. */
  drawn?: string;
  unit?: string;
}

/** How many groups or rows a page may have. */
export const FIRST = [10, 20, 50, 100, 200, 500];
const USUAL = 50;

/** The most keys that the gateway takes. */
export const MOST_KEYS = 8;

export const COUNT: Wanted = { column: '', figure: 'count' };

/** How a figure is named in the address and in the order. */
export const figureName = ({ column, figure }: Wanted) => (column ? `${column}.${figure}` : figure);

function wanted(name: string): Wanted {
  const at = name.lastIndexOf('.');
  return at < 0 ? { column: '', figure: name } : { column: name.slice(0, at), figure: name.slice(at + 1) };
}

/** The question as an address has it. */
export function write(question: Question): string {
  const { root, mode, keys, columns, conditions, order, first, drawn, unit } = question;
  const parts: [string, string][] = [
    ['type', root],
    ...(mode === 'rows' ? ([['mode', mode]] as [string, string][]) : []),
    ...keys.map(({ path, bucket }): [string, string] => ['by', bucket ? `${path}:${bucket}` : path]),
    ...question.wanted.map((one): [string, string] => ['figure', figureName(one)]),
    ...columns.map((path): [string, string] => ['column', path]),
    ...conditions.map(({ path, operator, value }): [string, string] => ['where', `${path}:${operator}:${value}`]),
    ...(order ? ([['order', `${order.by}:${order.direction}`]] as [string, string][]) : []),
    ...(first === USUAL ? [] : ([['first', String(first)]] as [string, string][])),
    ...(drawn ? ([['drawn', drawn]] as [string, string][]) : []),
    ...(unit ? ([['unit', unit]] as [string, string][]) : []),
  ];
  return parts.map(([name, value]) => `${name}=${encode(value)}`).join('&');
}

// Nobody reads %3A; what would end the value is encoded still.
const encode = (value: string) => encodeURIComponent(value).replace(/%(3A|2C)/g, decodeURIComponent);

/** What an address asks, taken at its word: whether there is such a thing is for `check`. */
export function read(search: string): Question {
  const address = new URLSearchParams(search);
  const all = (name: string) => address.getAll(name).filter(Boolean);
  const [by, direction] = cut(address.get('order') ?? '', 2);
  const first = Number(address.get('first') ?? USUAL);
  return {
    root: address.get('type') ?? '',
    mode: address.get('mode') === 'rows' ? 'rows' : 'groups',
    keys: all('by').map((key) => {
      const [path = '', bucket] = cut(key, 2);
      return { path, bucket: bucket as Bucket | undefined };
    }),
    wanted: all('figure').map(wanted),
    columns: all('column'),
    conditions: all('where').map((condition) => {
      const [path = '', operator = '', value = ''] = cut(condition, 3);
      return { path, operator, value };
    }),
    order: by ? { by, direction: direction === 'ASC' ? 'ASC' : 'DESC' } : undefined,
    first: Number.isInteger(first) && first > 0 ? Math.min(first, Math.max(...FIRST)) : USUAL,
    drawn: address.get('drawn') ?? undefined,
    unit: address.get('unit') ?? undefined,
  };
}

/** Divides at the first colons: what comes last may have some of its own. */
function cut(text: string, parts: number): string[] {
  const pieces = text.split(':');
  return pieces.length <= parts ? pieces : [...pieces.slice(0, parts - 1), pieces.slice(parts - 1).join(':')];
}
