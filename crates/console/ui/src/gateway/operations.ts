import { graphql } from '../gql';

export const Login = graphql(`
  mutation Login($email: String!, $password: String!, $organization: String!, $totp: String, $device: String) {
    login(email: $email, password: $password, organization: $organization, totp: $totp, deviceToken: $device) {
      accessToken refreshToken expiresIn sessionId deviceToken
    }
  }
`);

export const Refresh = graphql(`
  mutation Refresh($refreshToken: String!) {
    refresh(refreshToken: $refreshToken) { accessToken refreshToken expiresIn sessionId deviceToken }
  }
`);

export const Logout = graphql(`
  mutation Logout { logout }
`);

export const WhoAmI = graphql(`
  query WhoAmI {
    eventCursor
    me {
      sessionId
      permissions { name }
      workspaces { workspaceId role permissions { name } }
      user { id name email role region department organization { id name } }
    }
  }
`);

export const Now = graphql(`
  query Now { eventCursor }
`);

export const Events = graphql(`
  subscription Events($after: String) {
    events(after: $after) {
      topic kind changedFields cursor at type id
      actor { id name }
      node {
        __typename
        ... on Anomaly { description anomalyStatus: status anomalySeverity: severity metricType }
        ... on DriftItem { title driftStatus: status driftSeverity: severity workspaceId currentValue }
        ... on Variable { label value workspaceId }
        ... on Clause { title workspaceId }
        ... on GraphState { integrityScore workspaceId }
        ... on Deal { dealName: name stage }
        ... on Budget { name budgetStatus: status }
        ... on Workspace { name }
      }
    }
  }
`);

export const HasFigures = graphql(`
  query HasFigures {
    financialMetrics(first: 1) { nodes { id } }
    deals(first: 1) { nodes { id } }
  }
`);
