import { graphql } from '../gql';

/** What `DriftList` shows of an item; other pages take it into their own queries. */
export const DriftFields = graphql(`
  fragment DriftFields on DriftItem {
    id workspaceId clauseId variableId title severity status rowVersion
    baselineValue currentValue currentModifiedAt currentModifiedByUser { id name }
    approvedAt approvalReason approvedByUser { id name }
    overrideRequestedAt overrideReason overrideRequestedByUser { id name }
    clause { id title }
    workspace { id name }
  }
`);

export const WorkspaceHead = graphql(`
  query WorkspaceHead($id: UUID!) {
    workspace(id: $id) {
      id name amount currency standard organization { id name }
      governanceRules { requireReasonForSensitiveEdits }
      graphState { id integrityScore lastComputedAt }
    }
    me { workspaces(id: $id) { role isAdmin permissions { name } } }
  }
`);

export const WorkspaceClauses = graphql(`
  query WorkspaceClauses($id: UUID!, $after: String) {
    workspace(id: $id) {
      id
      clauses(first: 500, after: $after, orderBy: [{ field: ORDER_INDEX }]) {
        nodes { id title type orderIndex isSensitive isLocked lockedBy lockedByUser { id name } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const WorkspaceVariables = graphql(`
  query WorkspaceVariables($id: UUID!, $after: String) {
    workspace(id: $id) {
      id
      variables(first: 500, after: $after, orderBy: [{ field: LABEL }]) {
        nodes { id clauseId label type value unit baselineValue rowVersion }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const WorkspaceDrift = graphql(`
  query WorkspaceDrift($id: UUID!, $after: String) {
    workspace(id: $id) {
      id
      driftItems(first: 500, after: $after, orderBy: [{ field: CURRENT_MODIFIED_AT, direction: DESC }]) {
        nodes { ...DriftFields }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const OneDriftItem = graphql(`
  query OneDriftItem($id: UUID!) {
    driftItem(id: $id) { ...DriftFields }
  }
`);

export const WorkspaceNodes = graphql(`
  query WorkspaceNodes($id: UUID!, $after: String) {
    workspace(id: $id) {
      id
      graphNodes(first: 500, after: $after) {
        nodes { id label type clauseId variableId value hasDrift hasWarning }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const WorkspaceEdges = graphql(`
  query WorkspaceEdges($id: UUID!, $after: String) {
    workspace(id: $id) {
      id
      graphEdges(first: 500, after: $after) {
        nodes { id sourceId targetId weight }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const WorkspaceAudit = graphql(`
  query WorkspaceAudit($id: UUID!) {
    workspace(id: $id) {
      id
      auditEvents(first: 15) {
        nodes { id timestamp actorName eventType targetId beforeState afterState reason }
      }
    }
  }
`);

export const Impact = graphql(`
  query Impact($node: UUID!) {
    graphNode(id: $node) {
      id label type value variableId hasDrift
      warnings(first: 100) { nodes { id kind message } }
    }
    impactOf(nodeId: $node) { nodeId distance label type value variableId hasDrift hasWarning viaNodeId }
  }
`);

export const EditVariable = graphql(`
  mutation EditVariable($id: UUID!, $expectedVersion: Int!, $value: String!, $reason: String, $reasonCategory: ReasonCategory) {
    editVariable(id: $id, expectedVersion: $expectedVersion, input: { value: $value }, reason: $reason, reasonCategory: $reasonCategory) {
      id value rowVersion
    }
  }
`);

export const OverrideDrift = graphql(`
  mutation OverrideDrift($id: UUID!, $expectedVersion: Int!, $reason: String!, $reasonCategory: ReasonCategory) {
    overrideDrift(id: $id, expectedVersion: $expectedVersion, reason: $reason, reasonCategory: $reasonCategory) { id status rowVersion }
  }
`);

export const ApproveDrift = graphql(`
  mutation ApproveDrift($id: UUID!, $expectedVersion: Int!, $reason: String!, $reasonCategory: ReasonCategory) {
    approveDrift(id: $id, expectedVersion: $expectedVersion, reason: $reason, reasonCategory: $reasonCategory) { id status rowVersion }
  }
`);

export const RevertDrift = graphql(`
  mutation RevertDrift($id: UUID!, $expectedVersion: Int!, $reason: String!, $reasonCategory: ReasonCategory) {
    revertDrift(id: $id, expectedVersion: $expectedVersion, reason: $reason, reasonCategory: $reasonCategory) { id status rowVersion }
  }
`);
