import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { NodeType } from '../../gql/graphql';
import { Badge } from '../../parts/Badge';
import { words } from '../../parts/format';
import type { GraphRow } from './layout';

export interface TermData extends Record<string, unknown> {
  row: GraphRow;
  /** Distance from the selected node: 0 is itself, null is out of its reach; undefined while none is selected. */
  distance: number | null | undefined;
}
export type TermNodeType = Node<TermData, 'term'>;

const SHAPES: Record<NodeType, string> = {
  FINANCIAL: 'M2 2h12v12H2z',
  COVENANT: 'M5 1.5h6L14.5 8 11 14.5H5L1.5 8z',
  DEFINITION: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z',
  XREF: 'M8 1l7 7-7 7-7-7z',
};

/** The sign of a kind of node: square, hexagon, circle or diamond. */
export const Shape = ({ type }: { type: NodeType }) => (
  <svg className={`shape ${type}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
    <path d={SHAPES[type]} />
  </svg>
);

export const kindOf = ({ type, variableId }: { type: NodeType; variableId?: string | null }) =>
  type === 'XREF' ? 'Cross-reference' : `${words(type)} ${variableId ? 'variable' : 'clause'}`;

/** All that the drawing of a node says, in words. */
export const spoken = ({ row, distance }: TermData) =>
  [
    row.label,
    kindOf(row),
    row.value,
    row.hasDrift && 'has drift',
    row.hasWarning && 'has a warning',
    distance ? `affected, distance ${distance}` : null,
  ]
    .filter(Boolean)
    .join(', ');

/** A clause or a variable in the drawing. */
export const TermNode = memo(function TermNode({ data }: NodeProps<TermNodeType>) {
  const { row, distance } = data;
  const state = distance === undefined ? '' : distance === null ? 'dim' : distance === 0 ? 'chosen' : 'lit';
  return (
    <div className={`term ${row.type} ${row.variableId ? 'variable' : 'clause'} ${state}`} title={row.label}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="kind">
        <Shape type={row.type} /> {kindOf(row)}
        {distance ? <span className="distance">{distance}</span> : null}
      </span>
      <strong>{row.label}</strong>
      <span className="marks">
        {row.value && <span className="value">{row.value}</span>}
        {row.hasDrift && (
          <Badge tone="bad">
            ▲<span className="word"> Drift</span>
          </Badge>
        )}
        {row.hasWarning && (
          <Badge tone="warn">
            !<span className="word"> Warning</span>
          </Badge>
        )}
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});
