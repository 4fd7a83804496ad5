import { graphql } from '../gql';

export const Kpis = graphql(`
  query Kpis($period: ReportingPeriod!) {
    kpis(period: $period) {
      metricType unit currency value budget method values
      period { first last isComplete }
      change { difference percent status }
      againstBudget { difference percent status }
      series { period { first } value }
    }
  }
`);

export const MetricSeries = graphql(`
  query MetricSeries($metric: MetricType!, $since: Date!, $until: Date!) {
    kpis(types: [$metric], of: $until, points: 31) {
      currency
      series { period { first } value budget forecast }
    }
    financialMetrics(
      first: 500
      filter: { metricType: { eq: $metric }, metricDate: { gte: $since } }
      orderBy: [{ field: METRIC_DATE, direction: DESC }]
    ) {
      nodes { metricDate region lob product currency actualValue forecastValue budgetValue confidenceLower confidenceUpper }
    }
    anomalies(first: 100, filter: { metricType: { eq: $metric }, affectedPeriodStart: { gte: $since } }) {
      nodes { id severity description status affectedPeriodStart affectedRegion }
    }
  }
`);

export const Bridge = graphql(`
  query Bridge($metric: MetricType!, $period: ReportingPeriod!, $against: VarianceBasis!, $by: MetricDimension!) {
    variance(metricType: $metric, period: $period, against: $against, by: $by) {
      currency unit
      period { first last }
      total { value basis contribution status comparison { difference percent } }
      parts { slice value basis contribution status rateEffect mixEffect }
    }
  }
`);

export const Pipeline = graphql(`
  query Pipeline {
    deals(filter: { stage: { notIn: [CLOSED_WON, CLOSED_LOST] } }) {
      groups(by: [{ currency: {} }, { stage: {} }], first: 500) {
        nodes { key { currency stage } count value { sum } weightedValue { sum } }
      }
    }
  }
`);

export const OpenAnomalies = graphql(`
  query OpenAnomalies {
    anomalies(
      first: 12
      filter: { status: { in: [OPEN, INVESTIGATING] } }
      orderBy: [{ field: SEVERITY, direction: DESC }, { field: DETECTED_AT, direction: DESC }]
    ) {
      totalCount
      nodes {
        id rowVersion status severity metricType description primaryDriver impactPercentage affectedRegion detectedAt
        assignedToUser { id name }
      }
    }
  }
`);

export const StartInvestigation = graphql(`
  mutation StartInvestigation($id: UUID!, $version: Int!) {
    startInvestigation(id: $id, expectedVersion: $version) { id rowVersion status }
  }
`);

export const ResolveAnomaly = graphql(`
  mutation ResolveAnomaly($id: UUID!, $version: Int!, $notes: String!) {
    resolveAnomaly(id: $id, expectedVersion: $version, notes: $notes) { id rowVersion status }
  }
`);

export const DismissAnomaly = graphql(`
  mutation DismissAnomaly($id: UUID!, $version: Int!, $notes: String!) {
    dismissAnomaly(id: $id, expectedVersion: $version, notes: $notes) { id rowVersion status }
  }
`);

export const AuditFeed = graphql(`
  query AuditFeed {
    auditLogs(first: 12, orderBy: [{ field: TIMESTAMP, direction: DESC }]) {
      nodes { id timestamp actorName action resourceType riskLevel }
    }
  }
`);

export const MyWorkspaces = graphql(`
  query MyWorkspaces {
    workspaces(first: 50, orderBy: [{ field: NAME }]) {
      totalCount
      nodes {
        id name currency amount standard
        graphState { integrityScore }
        driftItems(first: 1, filter: { status: { eq: UNRESOLVED } }) { totalCount }
        clauses(first: 1) { totalCount }
      }
    }
  }
`);

export const Funnel = graphql(`
  query Funnel($since: Date!) {
    salesFunnel(since: $since) { stage entered advanced wentBack lost open conversion medianDays }
  }
`);

export const BudgetYears = graphql(`
  query BudgetYears {
    budgets(filter: { status: { in: [APPROVED, LOCKED] }, departmentId: { isNull: false } }) {
      groups(by: [{ fiscalYear: {} }], orderBy: [{ fiscalYear: { key: DESC } }]) { nodes { key { fiscalYear } } }
    }
    me { user { organization { settings { currency fiscalYearStart } } } }
  }
`);

export const Consumption = graphql(`
  query Consumption($year: Int!) {
    budgetConsumption(fiscalYear: $year) {
      departmentId parentId name through
      total { budget actual remaining consumed varianceToDate }
      categories { category budget actual remaining consumed varianceToDate }
    }
  }
`);
