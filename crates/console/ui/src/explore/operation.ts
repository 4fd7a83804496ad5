import { operand, type Operand } from './conditions';
import type { Question, Wanted } from './question';
import type { Column, Subject } from './subject';

/** What is sent to the gateway. */
export interface Operation {
  query: string;
  variables: Record<string, unknown>;
}

/** The columns without which a number would be told without its unit. */
export const CURRENCY = 'currency';
export const METRIC = 'metricType';

const beside = ({ path }: Column, name: string) => [...path.split('.').slice(0, -1), name].join('.');

/** The columns that say in what the amounts among these columns are. */
export const unitColumns = (columns: Column[], subject: Subject) =>
  [
    ...new Set(
      columns.flatMap((column) => [
        ...(column.unit === 'currency' || column.unit === 'metric' ? [beside(column, CURRENCY)] : []),
        ...(column.unit === 'metric' ? [beside(column, METRIC)] : []),
      ]),
    ),
  ].filter((path) => subject.columns.some((one) => one.path === path));

/** Whether groups have to be asked for their currency: it is no key, and amounts are told. */
export function asksCurrency({ keys, wanted }: Question, { figured }: Subject) {
  const isAmount = ({ column }: Wanted) =>
    figured.some(({ path, unit }) => path === column && (unit === 'currency' || unit === 'metric'));
  return (
    wanted.some(isAmount) &&
    !keys.some(({ path }) => path === CURRENCY) &&
    figured.some(({ path, figures }) => path === CURRENCY && figures.some(({ name }) => name === 'min'))
  );
}

/** The operation behind a question. */
export function operation(question: Question, subject: Subject): Operation {
  const variables = new Map<string, { type: string; value: unknown }>();
  const declare = (name: string, type: string | undefined, value: unknown) => {
    if (type !== undefined && value !== undefined) variables.set(name, { type, value });
  };
  declare('filter', subject.types.filter, filterOf(question, subject));
  const isTotal = question.mode === 'groups' && question.keys.length === 0;
  if (!isTotal) {
    if (question.mode === 'groups') {
      declare('by', `[${subject.types.by}!]!`, question.keys.map(keyOf));
      declare('orderBy', `[${subject.types.groupOrder}!]`, groupOrder(question));
    } else if (subject.types.order) declare('orderBy', `[${subject.types.order}!]`, rowOrder(question, subject));
    declare('first', 'Int', question.first);
    variables.set('after', { type: 'String', value: undefined });
  }
  const pass = (...names: string[]) => {
    const passed = names.filter((name) => variables.has(name)).map((name) => `${name}: $${name}`);
    return passed.length > 0 ? `(${passed.join(', ')})` : '';
  };
  const body =
    question.mode === 'rows'
      ? block(`${subject.root}${pass('filter', 'orderBy', 'first', 'after')}`, [
          'totalCount',
          'pageInfo { hasNextPage endCursor }',
          block('nodes', nested(rowColumns(question, subject))),
        ])
      : block(`${subject.root}${pass('filter')}`, [
          isTotal
            ? block('aggregate', figures(question, subject))
            : block(`groups${pass('by', 'orderBy', 'first', 'after')}`, [
                'totalCount',
                'pageInfo { hasNextPage endCursor }',
                block('nodes', [
                  `key { ${nested(question.keys.map(({ path }) => path)).join(' ')} }`,
                  ...figures(question, subject),
                ]),
              ]),
        ]);
  const declared = [...variables].map(([name, { type }]) => `$${name}: ${type}`);
  const name = subject.root.charAt(0).toUpperCase() + subject.root.slice(1);
  return {
    query: block(`query ${name}${declared.length > 0 ? `(${declared.join(', ')})` : ''}`, [body]),
    variables: Object.fromEntries(
      [...variables].flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])),
    ),
  };
}

/** The columns of the rows, and those that say in what their amounts are. */
export function rowColumns({ columns }: Question, subject: Subject): string[] {
  const chosen = subject.columns.filter(({ path }) => columns.includes(path));
  return [...new Set([...columns, ...unitColumns(chosen, subject)])];
}

const block = (head: string, lines: string[]): string =>
  `${head} {\n${lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `  ${line}`)
    .join('\n')}\n}`;

/** Columns as they are selected: those of a relation within it. */
function nested(paths: string[]): string[] {
  const own = paths.filter((path) => !path.includes('.'));
  const related = Map.groupBy(
    paths.filter((path) => path.includes('.')),
    (path) => path.split('.')[0]!,
  );
  return [
    ...own,
    ...[...related].map(([relation, paths]) => `${relation} { ${paths.map((path) => path.split('.')[1]).join(' ')} }`),
  ];
}

function figures(question: Question, subject: Subject): string[] {
  const told = asksCurrency(question, subject) ? [...question.wanted, ...CURRENCIES] : question.wanted;
  return [...Map.groupBy(told, ({ column }) => column)].map(([column, wanted]) => {
    const names = [...new Set(wanted.map(({ figure }) => SPELLED[figure] ?? figure))];
    return column ? `${column} { ${names.join(' ')} }` : 'count';
  });
}

/** Where both are the same, that is the currency of the group. */
const CURRENCIES: Wanted[] = ['min', 'max'].map((figure) => ({ column: CURRENCY, figure }));

/** Figures that take arguments. */
const SPELLED: Record<string, string> = { p90: 'p90: percentile(at: 0.9)' };

type Nest<T> = { [name: string]: T | Nest<T> };

/** A value at a path: `owner.region` is a region within the owner. */
const at = <T>(path: string, value: T): Nest<T> =>
  path.split('.').reduceRight<T | Nest<T>>((inner, name) => ({ [name]: inner }), value) as Nest<T>;

const keyOf = ({ path, bucket }: Question['keys'][number]) => at(path, bucket ? { bucket } : {});

function groupOrder({ order, keys }: Question) {
  if (!order) return undefined;
  if (order.by === 'count') return [{ count: order.direction }];
  const isKey = keys.some(({ path }) => path === order.by);
  return [at(isKey ? `${order.by}.key` : order.by, order.direction)];
}

function rowOrder({ order }: Question, { orders }: Subject) {
  const found = orders.find(({ path }) => path === order?.by);
  return found && [{ field: found.field, direction: order?.direction }];
}

/** The conditions that are said whole, as a filter; all of them hold. */
function filterOf({ conditions }: Question, { filterable }: Subject) {
  const said = conditions.flatMap((condition) => {
    const column = filterable.find(({ path }) => path === condition.path);
    const value = column && operand(condition, column);
    return value === undefined ? [] : [at<Operand>(`${condition.path}.${condition.operator}`, value)];
  });
  return said.length > 1 ? { and: said } : said[0];
}
