import type { Filterable } from './subject';
import type { Condition } from './question';

/** The comparisons in words; those that are not here are for GraphQL. */
const WORDS: Record<string, string> = {
  eq: 'is',
  ne: 'is not',
  in: 'is one of',
  notIn: 'is none of',
  gt: 'is more than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
  contains: 'contains',
  startsWith: 'starts with',
  endsWith: 'ends with',
  isNull: 'is empty',
};
const OF_DAYS: Record<string, string> = { gt: 'after', gte: 'on or after', lt: 'before', lte: 'on or before' };
const OF_MOMENTS: Record<string, string> = { gte: 'on or after (UTC)', lt: 'before (UTC)' };

/** The comparisons that are offered for a column. */
export function operatorsFor({ operators, values, scalar }: Filterable): string[] {
  const isOffered = (operator: string) => {
    // Of moments days are asked for, and a day is not a moment: one begins with it, or ends before it.
    if (scalar === 'DateTime') return operator in OF_MOMENTS || operator === 'isNull';
    if (operator === 'in' || operator === 'notIn') return values !== undefined;
    if (scalar === 'Boolean') return operator === 'eq' || operator === 'isNull';
    return operator in WORDS;
  };
  const order = Object.keys(WORDS);
  return operators.filter(isOffered).sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

export function operatorLabel(operator: string, { scalar }: Filterable): string {
  const own = scalar === 'DateTime' ? OF_MOMENTS : scalar === 'Date' ? OF_DAYS : {};
  return own[operator] ?? WORDS[operator] ?? operator;
}

/** What is asked for in the form of a column: one of few, yes or no, a day, a number or a text. */
export type Form = 'one' | 'some' | 'yesNo' | 'day' | 'number' | 'text';

export function formOf({ operator }: Condition, { values, scalar }: Filterable): Form {
  if (operator === 'isNull' || scalar === 'Boolean') return 'yesNo';
  if (values) return operator === 'in' || operator === 'notIn' ? 'some' : 'one';
  if (scalar === 'Date' || scalar === 'DateTime') return 'day';
  return NUMBERS.has(scalar) ? 'number' : 'text';
}

const NUMBERS = new Set(['Int', 'Float', 'Decimal', 'BigInt']);
export const isNumber = (scalar: string) => NUMBERS.has(scalar);

/** What a new condition on a column begins with. */
export function begin(column: Filterable): Condition {
  const [operator = ''] = operatorsFor(column);
  return { path: column.path, operator, value: emptyValue({ path: column.path, operator, value: '' }, column) };
}

/** What stands there before anything is said: what is always one of two is said already. */
export const emptyValue = (condition: Condition, column: Filterable) =>
  ({ yesNo: 'true', one: column.values?.[0] ?? '', some: '', day: '', number: '', text: '' })[
    formOf(condition, column)
  ];

export type Operand = string | number | boolean | string[];

/** The value of a condition as the gateway takes it; undefined while nothing, or no such value, is said. */
export function operand(condition: Condition, column: Filterable): Operand | undefined {
  const value = condition.value.trim();
  if (!value) return undefined;
  const isKnown = (one: string) => column.values?.includes(one) ?? false;
  switch (formOf(condition, column)) {
    case 'yesNo':
      return value === 'true' ? true : value === 'false' ? false : undefined;
    case 'one':
      return isKnown(value) ? value : undefined;
    case 'some': {
      const chosen = value.split(',').filter(isKnown);
      return chosen.length > 0 ? chosen : undefined;
    }
    case 'day':
      if (!/^\d{4}-\d\d-\d\d$/.test(value) || Number.isNaN(Date.parse(value))) return undefined;
      return column.scalar === 'DateTime' ? `${value}T00:00:00Z` : value;
    case 'number':
      if (!/^-?\d+(\.\d+)?$/.test(value)) return undefined;
      // Amounts and great numbers go as text: no digit of them is lost.
      return column.scalar === 'Int' || column.scalar === 'Float' ? Number(value) : value;
    case 'text':
      return value;
  }
}
