import { useState } from 'react';
import { useLive } from '../gateway/live';
import { Choice } from '../parts/Choice';
import { compact, month, percent, words } from '../parts/format';
import { Section } from '../parts/Section';
import { fiscalYear, tree, usualYear, type Branch, type Consumed } from './budgets';
import { BudgetYears, Consumption } from './operations';

type Figures = Consumed['total'];

/** How much of the approved budgets is used up, by department and those below it, and by category. */
export function Budgets() {
  const years = useLive(BudgetYears, {}, ['BUDGET']);
  const told = (years.data?.budgets?.groups.nodes ?? []).flatMap(({ key }) => key.fiscalYear ?? []);
  const settings = years.data?.me.user.organization?.settings;
  const usual = usualYear(told, fiscalYear(settings?.fiscalYearStart, new Date()));
  const [chosen, setChosen] = useState<number>();
  const year = chosen ?? usual;
  if (years.error != null) return <Section title="Budgets" className="wide" state={years} children={null} />;
  // Without an approved budget there is nothing that could be used up.
  if (year === undefined) return null;
  return <Year year={year} years={told} choose={setChosen} currency={settings?.currency ?? ''} />;
}

interface Props {
  year: number;
  years: number[];
  choose: (year: number) => void;
  currency: string;
}

function Year({ year, years, choose, currency }: Props) {
  const state = useLive(Consumption, { year }, ['BUDGET', 'DEPARTMENT']);
  const departments = state.data?.budgetConsumption ?? [];
  const through = departments[0]?.through;
  const note = (
    <span className="choices">
      {currency && `Amounts in ${currency}`}
      {through && `, costs up to ${month(through)}`}
      <Choice
        label="Year of the budgets"
        value={String(year)}
        values={Object.fromEntries(years.map((one) => [one, `Fiscal year ${one}`]))}
        choose={(year) => choose(Number(year))}
      />
    </span>
  );
  return (
    <Section title="Budgets" note={note} className="wide" state={state}>
      {departments.length === 0 ? (
        <p className="quiet">There are no departments that you may see.</p>
      ) : (
        <div className="scroll figures tall" tabIndex={0} role="region" aria-label="Budgets in numbers">
          <table>
            <thead>
              <tr>
                <th scope="col">Department</th>
                <th scope="col">Budget</th>
                <th scope="col">Spent</th>
                <th scope="col">Left</th>
                <th scope="col">Used up</th>
                <th scope="col">Against plan to date</th>
              </tr>
            </thead>
            {tree(departments).map((branch) => (
              <Department key={branch.department.departmentId} branch={branch} depth={0} />
            ))}
          </table>
        </div>
      )}
    </Section>
  );
}

/** A department as a row; opened, what it is made of below it: its categories, and the departments under it. */
function Department({ branch: { department, below }, depth }: { branch: Branch; depth: number }) {
  const [isOpen, setOpen] = useState(false);
  const { name, total, categories } = department;
  return (
    <>
      <tbody className={`depth-${Math.min(depth, 4)}`}>
        <tr>
          <th scope="row">
            <button className="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {name}
            </button>
          </th>
          <Amounts figures={total} name={name} />
        </tr>
        {isOpen &&
          categories.map((category) => (
            <tr key={category.category} className="category">
              <th scope="row">{words(category.category ?? '')}</th>
              <Amounts figures={category} name={`${name}, ${words(category.category ?? '')}`} />
            </tr>
          ))}
      </tbody>
      {isOpen &&
        below.map((branch) => <Department key={branch.department.departmentId} branch={branch} depth={depth + 1} />)}
    </>
  );
}

function Amounts({
  figures: { budget, actual, remaining, consumed, varianceToDate },
  name,
}: {
  figures: Figures;
  name: string;
}) {
  const amount = (value?: string | null) => (value == null ? '–' : compact(Number(value)));
  const ahead = Number(varianceToDate);
  return (
    <>
      <td>{amount(budget)}</td>
      <td>{amount(actual)}</td>
      <td>{amount(remaining)}</td>
      <td className="used">
        {consumed == null ? (
          '–'
        ) : (
          <>
            <meter
              min={0}
              max={1}
              low={0.9}
              high={0.9999}
              optimum={0}
              value={Math.min(Number(consumed), 1)}
              aria-label={`Used up of the budget of ${name}`}
            />{' '}
            {percent(Number(consumed))}
          </>
        )}
      </td>
      <td className={varianceToDate == null ? '' : ahead < 0 ? 'bad' : 'good'}>
        {varianceToDate == null ? '–' : `${compact(Math.abs(ahead))} ${ahead < 0 ? 'over' : 'under'}`}
      </td>
    </>
  );
}
