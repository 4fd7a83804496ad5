import { Graph, layout } from '@dagrejs/dagre';
import type { WorkspaceEdgesQuery, WorkspaceNodesQuery } from '../../gql/graphql';

export type GraphRow = NonNullable<WorkspaceNodesQuery['workspace']>['graphNodes']['nodes'][number];
export type EdgeRow = NonNullable<WorkspaceEdgesQuery['workspace']>['graphEdges']['nodes'][number];
export interface Place {
  x: number;
  y: number;
}

export const WIDTH = 164;
export const HEIGHT = 62;

/** Places of all nodes, what is depended upon left of what depends on it. */
export function arrange(nodes: readonly GraphRow[], edges: readonly EdgeRow[]): Map<string, Place> {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 10, edgesep: 2, ranksep: 48 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  const variables = new Set(nodes.filter(({ variableId }) => variableId).map(({ id }) => id));
  for (const { sourceId, targetId, weight } of edges) {
    // Variables of one clause hang together in a chain, which would draw them out into a long line.
    if (variables.has(sourceId) && variables.has(targetId)) continue;
    if (graph.hasNode(sourceId) && graph.hasNode(targetId)) graph.setEdge(sourceId, targetId, { weight });
  }
  layout(graph);
  return new Map(
    nodes.map(({ id }) => {
      // Dagre tells the middle of a node, React Flow wants its corner.
      const { x, y } = graph.node(id) as Place;
      return [id, { x: x - WIDTH / 2, y: y - HEIGHT / 2 }];
    }),
  );
}

/** Equal as long as nothing has come or gone, whatever values have changed. */
export const shapeOf = (nodes: readonly GraphRow[], edges: readonly EdgeRow[]) =>
  [...nodes.map(({ id }) => id), ...edges.map(({ id }) => id)].sort().join();
