import { named } from '../parts/format';
import { bare, isList, isRequired, roots, types, type Root, type Type } from './introspection';
import { unitOf, type Unit } from './unit';

/** A column of the rows, or of what one of their to-one relations leads to. */
export interface Column {
  /** As the schema has it, with the relation before it: `owner.region`. */
  path: string;
  label: string;
  description: string;
  /** The relation by its label; empty for a column of the rows themselves. */
  relation: string;
  /** The name of its type. */
  scalar: string;
  /** What it can be, if that is a list of words. */
  values?: string[];
  unit: Unit;
}

export interface Key extends Column {
  /** Whether it is a day or a moment, which come in buckets. */
  isTime: boolean;
}

/** A column, and what is told of many of its values. */
export interface Figured extends Column {
  figures: Figure[];
  /** Years and versions are numbers that are not counted with. */
  isOrdinal: boolean;
}

export interface Figure {
  name: string;
  scalar: string;
  /** Whether groups can be ordered by it. */
  orders: boolean;
}

export interface Filterable extends Column {
  operators: string[];
}

/** What questions can be asked about the rows of one field of the root. */
export interface Subject {
  root: string;
  label: string;
  description: string;
  /** The types of the variables. */
  types: { filter?: string; by: string; groupOrder: string; order?: string };
  columns: Column[];
  keys: Key[];
  figured: Figured[];
  filterable: Filterable[];
  /** The columns that rows can be ordered by, each with the name that the schema has for that. */
  orders: { path: string; field: string }[];
}

const SCALARS = new Set(['Int', 'Float', 'String', 'Boolean', 'ID', 'UUID', 'Date', 'DateTime', 'Decimal', 'BigInt']);

/** 90 of 100 values do not exceed it; other percentiles are for GraphQL. */
const PERCENTILE = 'p90';

const made = new Map<string, Promise<Subject>>();

export function subject(root: string): Promise<Subject> {
  const known = made.get(root) ?? make(root);
  made.set(root, known);
  known.catch(() => made.delete(root));
  return known;
}

/** Follows the schema from the field of the root to all that can be asked of its rows. */
async function make(name: string): Promise<Subject> {
  const root = (await roots()).find((one) => one.name === name);
  if (!root) throw new Error(`There is no ${name}.`);
  const connection = (await types([bare(root.type)]))(bare(root.type));
  const groups = fieldOf(connection, 'groups');
  const names = {
    row: bare(fieldOf(connection, 'nodes').type),
    group: bare(fieldOf(connection, 'aggregate').type),
    by: argument(groups, 'by') ?? '',
    groupOrder: argument(groups, 'orderBy') ?? '',
    filter: argument(root, 'filter'),
    order: argument(root, 'orderBy'),
  };
  const first = await types(Object.values(names).filter((one) => one !== undefined));
  const [row, group, by, groupOrder] = [first(names.row), first(names.group), first(names.by), first(names.groupOrder)];
  const relations = new Map(
    (by.inputFields ?? []).flatMap(({ name, type }) => (OPTIONS.has(bare(type)) ? [] : [[name, bare(type)] as const])),
  );
  const filters = names.filter === undefined ? [] : (first(names.filter).inputFields ?? []);
  const second = await types([
    ...(row.fields ?? [])
      .map(({ type }) => bare(type))
      .filter((type) => !SCALARS.has(type) && !/Connection$/.test(type)),
    ...relations.values(),
    ...(group.fields ?? []).map(({ type }) => bare(type)).filter((type) => /Figures$/.test(type)),
    ...(groupOrder.inputFields ?? []).map(({ type }) => bare(type)).filter((type) => /FiguresOrder$/.test(type)),
    ...filters.map(({ type }) => bare(type)).filter((type) => type !== names.filter),
    ...(names.order === undefined ? [] : (first(names.order).inputFields ?? []).map(({ type }) => bare(type))),
  ]);
  const related = [...relations.keys()].flatMap((relation) => {
    const field = row.fields?.find(({ name }) => name === relation);
    return field ? [{ relation, type: second(bare(field.type)) }] : [];
  });
  const relatedFilters = filters.filter(({ name }) => relations.has(name));
  const third = await types([
    ...related.flatMap(({ type }) => (type.fields ?? []).map(({ type }) => bare(type)).filter(isWordy)),
    ...relatedFilters.flatMap(({ type }) => (second(bare(type)).inputFields ?? []).map(({ type }) => bare(type))),
  ]);

  const own = columnsOf(row, '', second);
  const columns = [...own, ...related.flatMap(({ relation, type }) => columnsOf(type, relation, third))];
  const column = new Map(columns.map((one) => [one.path, one]));
  const keysOf = (type: Type, relation: string) =>
    (type.inputFields ?? []).flatMap(({ name, type }): Key[] => {
      const found = column.get(join(relation, name));
      return found && OPTIONS.has(bare(type)) ? [{ ...found, isTime: bare(type) === 'TimeKeyOptions' }] : [];
    });
  const filtersOf = (inputs: Type['inputFields'], relation: string, known: (name: string) => Type) =>
    (inputs ?? []).flatMap(({ name, type }): Filterable[] => {
      const found = column.get(join(relation, name));
      return found ? [{ ...found, operators: (known(bare(type)).inputFields ?? []).map(({ name }) => name) }] : [];
    });
  return {
    root: name,
    label: named(name),
    description: (root.description ?? '').replace(/ You see those that you may.*$/, ''),
    types: { filter: names.filter, by: names.by, groupOrder: names.groupOrder, order: names.order },
    columns,
    keys: [...keysOf(by, ''), ...[...relations].flatMap(([relation, type]) => keysOf(second(type), relation))],
    figured: own.flatMap((found) => figured(found, group, groupOrder, second)),
    filterable: [
      ...filtersOf(filters, '', second),
      ...relatedFilters.flatMap(({ name, type }) => filtersOf(second(bare(type)).inputFields, name, third)),
    ],
    orders: ordersOf(names.order === undefined ? undefined : first(names.order), own, second),
  };
}

const OPTIONS = new Set(['KeyOptions', 'TimeKeyOptions']);

const join = (relation: string, name: string) => (relation ? `${relation}.${name}` : name);
const isWordy = (type: string) => !SCALARS.has(type) && !/Connection$/.test(type) && type !== 'JSON';

function fieldOf(type: Type, name: string) {
  const field = type.fields?.find((one) => one.name === name);
  if (!field) throw new Error(`${type.name} has no ${name}.`);
  return field;
}

const argument = ({ args }: Pick<Root, 'args'>, name: string) => {
  const found = args.find((one) => one.name === name);
  return found && bare(found.type);
};

/** The columns of a type: numbers, texts, words of a list, days and the like, but no documents and no other rows. */
function columnsOf(type: Type, relation: string, known: (name: string) => Type): Column[] {
  return (type.fields ?? []).flatMap((field): Column[] => {
    const scalar = bare(field.type);
    if (isList(field.type) || field.args.some(isRequired) || field.name === 'nodeId') return [];
    const values = isWordy(scalar) ? known(scalar).enumValues?.map(({ name }) => name) : undefined;
    if (!SCALARS.has(scalar) && !values) return [];
    const description = field.description ?? '';
    const label = relation ? `${named(relation)}: ${named(field.name)}` : named(field.name);
    const path = join(relation, field.name);
    return [
      { path, label, description, relation: relation && named(relation), scalar, values, unit: unitOf(description) },
    ];
  });
}

/** What the schema tells of many values of a column. */
function figured(column: Column, group: Type, groupOrder: Type, known: (name: string) => Type): Figured[] {
  const field = group.fields?.find(({ name, type }) => name === column.path && /Figures$/.test(bare(type)));
  if (!field) return [];
  const type = bare(field.type);
  const order = groupOrder.inputFields?.find(({ name }) => name === column.path);
  const orders = new Set(order && known(bare(order.type)).inputFields?.map(({ name }) => name));
  const figures = (known(type).fields ?? []).flatMap(({ name, type, args }): Figure[] => {
    if (name === 'percentile') return [{ name: PERCENTILE, scalar: bare(type), orders: false }];
    return args.some(isRequired) ? [] : [{ name, scalar: bare(type), orders: orders.has(name) }];
  });
  return [{ ...column, figures, isOrdinal: type === 'OrdinalFigures' }];
}

/** The columns that rows can be ordered by: `EXPECTED_CLOSE_DATE` is `expectedCloseDate`. */
function ordersOf(order: Type | undefined, columns: Column[], known: (name: string) => Type) {
  const field = order?.inputFields?.find(({ name }) => name === 'field');
  const fields = new Set(field && known(bare(field.type)).enumValues?.map(({ name }) => name));
  const snake = (path: string) => path.replace(/([a-z\d])([A-Z])/g, '$1_$2').toUpperCase();
  return columns.flatMap(({ path }) => (fields.has(snake(path)) ? [{ path, field: snake(path) }] : []));
}
