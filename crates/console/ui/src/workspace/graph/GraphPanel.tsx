import { ReactFlowProvider } from '@xyflow/react';
import { useState } from 'react';
import { Problem } from '../../parts/Problem';
import { counted } from '../../parts/format';
import { GraphView } from './GraphView';
import { ImpactList } from './ImpactList';
import type { EdgeRow, GraphRow } from './layout';
import { Shape } from './TermNode';
import { useImpact } from './useImpact';
import './graph.css';

interface Props {
  rows: GraphRow[] | undefined;
  edges: EdgeRow[] | undefined;
  error: unknown;
  selected: string | null;
  reveal: number;
  onSelect: (id: string | null) => void;
  /** Selects it and brings it into sight. */
  onShow: (id: string) => void;
}

/** The dependency graph, and beside it what the selected node affects. */
export function GraphPanel({ rows, edges, error, selected, reveal, onSelect, onShow }: Props) {
  const [large, setLarge] = useState(false);
  const { impact, error: refused } = useImpact(selected);
  return (
    <section className={`panel graph ${large ? 'large' : ''}`} aria-labelledby="graph-title">
      <div className="title">
        <h2 id="graph-title">Dependency graph</h2>
        {rows && edges && (
          <span className="quiet">
            {counted(rows.length, 'node')}, {counted(edges.length, 'dependency', 'dependencies')}
          </span>
        )}
        <ul className="legend" aria-label="Kinds of nodes">
          <li>
            <Shape type="FINANCIAL" /> Financial
          </li>
          <li>
            <Shape type="COVENANT" /> Covenant
          </li>
          <li>
            <Shape type="DEFINITION" /> Definition
          </li>
          <li>
            <Shape type="XREF" /> Cross-reference
          </li>
          <li className="quiet">dashed: variable</li>
        </ul>
      </div>
      {Boolean(error) && <Problem error={error} />}
      {!rows || !edges ? (
        !error && (
          <p role="status" className="quiet">
            Loading the graph…
          </p>
        )
      ) : rows.length === 0 ? (
        <p className="quiet">The graph is empty: no clause depends on another yet.</p>
      ) : (
        <div className={selected ? 'split' : ''}>
          <ReactFlowProvider>
            <GraphView
              rows={rows}
              edges={edges}
              selected={selected}
              impacted={impact?.impactOf}
              reveal={reveal}
              onSelect={onSelect}
              onShow={onShow}
              large={large}
              onLarge={() => setLarge(!large)}
            />
          </ReactFlowProvider>
          {selected && <ImpactList impact={impact} error={refused} onShow={onShow} onClear={() => onSelect(null)} />}
        </div>
      )}
      <p className="quiet hint">
        Select a node, here or in the outline, to see what a change of it may concern. Escape clears it. Drag to move,
        Ctrl and wheel to zoom.
      </p>
    </section>
  );
}
