import { exploreLink } from '../app/route';
import type { Me } from '../gateway/session';
import { interests, type Interest } from '../parts/interests';
import type { Root } from './introspection';
import { usePromised } from './usePromised';

interface Starter {
  title: string;
  search: string;
}

const FIGURES: Starter[] = [
  {
    title: 'The open pipeline by stage and currency',
    search:
      'type=deals&by=stage&by=currency&figure=count&figure=value.sum&where=stage:notIn:CLOSED_WON,CLOSED_LOST&drawn=value.sum',
  },
  {
    title: 'Revenue by month and currency',
    search:
      'type=financialMetrics&by=metricDate:MONTH&by=currency&figure=actualValue.sum&figure=budgetValue.sum&where=metricType:eq:REVENUE&first=200',
  },
  {
    title: 'What is spent on the largest vendors',
    search: 'type=vendorSpends&by=vendor.name&figure=amount.sum&figure=amount.share&order=amount.sum:DESC&first=20',
  },
  {
    title: 'Costs of departments by quarter',
    search: 'type=departmentCosts&by=periodDate:QUARTER&by=department.name&figure=totalCost.sum&first=200',
  },
  { title: 'Anomalies by metric and severity', search: 'type=anomalies&by=metricType&by=severity&figure=count' },
];

const TRAIL: Starter[] = [
  {
    title: 'What was done, by action and risk',
    search: 'type=auditLogs&by=action&by=riskLevel&figure=count&order=count:DESC',
  },
  { title: 'What was done, week by week', search: 'type=auditLogs&by=timestamp:WEEK&figure=count&first=200' },
];

const LOANS: Starter[] = [
  {
    title: 'Open drift by workspace and severity',
    search: 'type=driftItems&by=workspace.name&by=severity&figure=count&where=status:eq:UNRESOLVED',
  },
  { title: 'Clauses by kind', search: 'type=clauses&by=type&figure=count&order=count:DESC' },
  {
    title: 'What happened in the workspaces, by week',
    search: 'type=auditEvents&by=timestamp:WEEK&figure=count',
  },
  {
    title: 'The workspaces, the largest first',
    search: 'type=workspaces&mode=rows&column=name&column=amount&column=currency&column=standard&order=amount:DESC',
  },
];

const OF: Record<Interest, Starter[]> = { figures: FIGURES, loans: LOANS, audit: TRAIL };

/** Questions to begin with, about what one is here for first. */
export function Starters({ me, roots }: { me: Me; roots: Root[] }) {
  const known = usePromised(me, interests);
  const offered = (known.value ?? []).flatMap((interest) => OF[interest]);
  const isThere = ({ search }: Starter) => roots.some(({ name }) => search.startsWith(`type=${name}&`));
  return (
    <section className="panel" aria-labelledby="starters">
      <h2 id="starters">To begin with</h2>
      <ul className="starters">
        {offered.filter(isThere).map(({ title, search }) => (
          <li key={title}>
            <a href={exploreLink(search)}>{title}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
