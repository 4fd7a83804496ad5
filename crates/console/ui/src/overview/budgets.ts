import type { ConsumptionQuery } from '../gql/graphql';

export type Consumed = NonNullable<ConsumptionQuery['budgetConsumption']>[number];

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** The fiscal year that a day is in: it is called after the calendar year in which it ends. */
export function fiscalYear(start: string | null | undefined, day: Date) {
  const first = Math.max(MONTHS.indexOf(start ?? ''), 0);
  return day.getFullYear() + (first > 0 && day.getMonth() >= first ? 1 : 0);
}

/** The years with budgets, and the one that is shown first: that which runs, else the latest before it. */
export function usualYear(years: number[], current: number) {
  return years.find((year) => year <= current) ?? years.at(-1);
}

/** A department with those below it. */
export interface Branch {
  department: Consumed;
  below: Branch[];
}

/** The departments as a tree: at its top are those whose upper one is not seen. */
export function tree(departments: Consumed[]): Branch[] {
  const known = new Set(departments.map(({ departmentId }) => departmentId));
  const above = ({ parentId }: Consumed) => (parentId && known.has(parentId) ? parentId : '');
  const children = Map.groupBy(departments, above);
  const branches = (id: string): Branch[] =>
    (children.get(id) ?? []).map((department) => ({ department, below: branches(department.departmentId) }));
  return branches('');
}
