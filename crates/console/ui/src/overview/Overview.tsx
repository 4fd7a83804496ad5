import { useState } from 'react';
import type { Me } from '../gateway/session';
import type { MetricType, ReportingPeriod } from '../gql/graphql';
import { Anomalies } from './Anomalies';
import { Audit } from './Audit';
import { Bridge } from './Bridge';
import { Budgets } from './Budgets';
import { Funnel } from './Funnel';
import { Kpis, useKpis } from './Kpis';
import { MetricChart } from './MetricChart';
import { OpenDrift } from './OpenDrift';
import { Pipeline } from './Pipeline';
import { useWorkspaces, Workspaces } from './Workspaces';
import './overview.css';

/** What the gateway knows, as far as the user may see it: its organization's figures, and the loans that it takes part in. */
export function Overview({ me }: { me: Me }) {
  const [metric, setMetric] = useState<MetricType>('REVENUE');
  const workspaces = useWorkspaces();
  const [period, setPeriod] = useState<ReportingPeriod>('MONTH');
  const figures = useKpis(period);
  const held = new Set(me.permissions.map(({ name }) => name));
  const isMember = (workspaces.data?.workspaces?.totalCount ?? 0) > 0;
  const hasFigures = figures.cards.length > 0;
  const loans = (
    <>
      {(isMember || workspaces.error) && <Workspaces state={workspaces} />}
      {isMember && <OpenDrift />}
    </>
  );
  return (
    <>
      <h1>Overview</h1>
      <div className="grid">
        {/* Who is here for loans only is not kept waiting by figures that are not there. */}
        {(figures.data || figures.error) && !hasFigures && loans}
        <Kpis state={figures} chosen={metric} choose={setMetric} period={period} choosePeriod={setPeriod} />
        {hasFigures && <Bridge metric={metric} period={period} />}
        {hasFigures && <MetricChart key={metric} metric={metric} />}
        <Budgets />
        <div className="column">
          <Pipeline />
          <Funnel />
          {held.has('audit:read') && <Audit />}
        </div>
        <div className="column">
          <Anomalies me={me} />
        </div>
        {hasFigures && loans}
      </div>
    </>
  );
}
