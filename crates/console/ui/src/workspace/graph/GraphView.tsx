import {
  Background,
  Controls,
  MarkerType,
  MiniMap,
  ReactFlow,
  useNodesState,
  useReactFlow,
  useStore,
  type Edge,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { arrange, HEIGHT, shapeOf, WIDTH, type EdgeRow, type GraphRow, type Place } from './layout';
import { spoken, TermNode, type TermNodeType } from './TermNode';
import type { Impacted } from './useImpact';

const NODE_TYPES = { term: TermNode };
const SMALL = { width: 130, height: 90 };
/** Below this zoom a node shows only its name, larger. */
const FAR = 0.42;
/** From this many nodes on, only those in sight are drawn. */
const MANY = 250;

interface Props {
  rows: GraphRow[];
  edges: EdgeRow[];
  selected: string | null;
  impacted: Impacted[] | undefined;
  /** Counts the selections that were made elsewhere and are to be brought into sight. */
  reveal: number;
  onSelect: (id: string | null) => void;
  /** Selects it and brings it into sight. */
  onShow: (id: string) => void;
  /** Whether it takes the whole width, and how to change that. */
  large: boolean;
  onLarge: () => void;
}

const pace = () => (matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 350);

/** The drawing of the dependency graph. Needs a `ReactFlowProvider` around it. */
export function GraphView({ rows, edges, selected, impacted, reveal, onSelect, onShow, large, onLarge }: Props) {
  const flow = useReactFlow();
  const far = useStore(({ transform }) => transform[2] < FAR);
  const dragged = useRef(new Map<string, Place>());
  const shape = useMemo(() => shapeOf(rows, edges), [rows, edges]);
  // Values change often, the shape rarely: only then is it arranged anew.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const places = useMemo(() => arrange(rows, edges), [shape]);
  const [tidied, setTidied] = useState(0);

  const distances = useMemo(() => {
    if (selected === null) return undefined;
    const found = new Map<string, number>([[selected, 0]]);
    for (const { nodeId, distance } of impacted ?? []) found.set(nodeId, distance);
    return found;
  }, [selected, impacted]);

  const [nodes, setNodes, onNodesChange] = useNodesState<TermNodeType>([]);
  useEffect(() => {
    setNodes((before) => {
      const known = new Map(before.map((node) => [node.id, node]));
      return rows.map((row) => {
        const old = known.get(row.id);
        const data = { row, distance: distances ? (distances.get(row.id) ?? null) : undefined };
        const position = dragged.current.get(row.id) ?? places.get(row.id) ?? { x: 0, y: 0 };
        const chosen = row.id === selected;
        // What is as it was keeps its identity and is not drawn again.
        if (
          old &&
          old.data.row === row &&
          old.data.distance === data.distance &&
          old.selected === chosen &&
          old.position.x === position.x &&
          old.position.y === position.y
        )
          return old;
        return {
          ...old,
          id: row.id,
          type: 'term' as const,
          data,
          position,
          width: WIDTH,
          height: HEIGHT,
          ariaLabel: spoken(data),
          selected: chosen,
        };
      });
    });
  }, [rows, places, distances, selected, tidied, setNodes]);

  // The shape stands for nodes and edges: what else changes in them does not concern the lines.
  const drawn = useMemo<Edge[]>(() => {
    const known = new Set(rows.map(({ id }) => id));
    return edges
      .filter(({ sourceId, targetId }) => known.has(sourceId) && known.has(targetId))
      .map(({ id, sourceId, targetId, weight }) => {
        const lit = distances?.has(sourceId) && distances.has(targetId);
        return {
          id,
          source: sourceId,
          target: targetId,
          focusable: false,
          selectable: false,
          className: `weight-${weight} ${distances ? (lit ? 'lit' : 'dim') : ''}`,
          markerEnd: {
            type: MarkerType.ArrowClosed,
            width: 14,
            height: 14,
            color: lit ? 'var(--accent)' : 'var(--edge)',
          },
          zIndex: lit ? 1 : 0,
        };
      });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, distances]);

  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const shown = useRef(reveal);
  useEffect(() => {
    if (shown.current === reveal || !selected || !distances || !impacted) return;
    const near = [
      ...[...distances].filter(([, distance]) => distance <= 1).map(([id]) => ({ id })),
      ...edges.filter(({ targetId }) => targetId === selected).map(({ sourceId }) => ({ id: sourceId })),
    ];
    shown.current = reveal;
    const bounds = flow.getNodesBounds(near.map(({ id }) => id));
    // Too much for one sight: then at least the node itself, legible.
    if (Math.min(width / bounds.width, height / bounds.height) > FAR)
      void flow.fitView({ nodes: near, maxZoom: 1, padding: 0.1, duration: pace() });
    else {
      const own = flow.getNodesBounds([selected]);
      void flow.setCenter(own.x + own.width / 2, own.y + own.height / 2, { zoom: 0.6, duration: pace() });
    }
  }, [reveal, selected, distances, impacted, edges, flow, width, height]);

  // The list of what is affected takes some of the width: the node that was clicked stays in sight.
  useEffect(() => {
    if (!selected || !width) return;
    const { x, zoom } = flow.getViewport();
    const own = flow.getNodesBounds([selected]);
    const left = own.x * zoom + x;
    if (left < 0 || left + own.width * zoom > width)
      void flow.setCenter(own.x + own.width / 2, own.y + own.height / 2, { zoom, duration: pace() });
  }, [selected, width, flow]);

  const before = useRef(large);
  useEffect(() => {
    if (before.current === large) return;
    before.current = large;
    // The drawing knows its new size a moment after it has it.
    const timer = setTimeout(() => void flow.fitView({ padding: 0.05, duration: pace() }), 100);
    return () => clearTimeout(timer);
  }, [large, flow]);

  function pressed(event: KeyboardEvent) {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    const id = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id;
    if (!id) return;
    event.preventDefault();
    onShow(id);
  }

  return (
    <div className={`drawing ${far ? 'far' : ''}`} onKeyDown={pressed}>
      <ReactFlow<TermNodeType>
        nodes={nodes}
        edges={drawn}
        nodeTypes={NODE_TYPES}
        onNodesChange={onNodesChange}
        onNodeClick={(_, node) => onSelect(node.id)}
        onPaneClick={() => onSelect(null)}
        onNodeDragStop={(_, __, moved) => moved.forEach(({ id, position }) => dragged.current.set(id, position))}
        nodesConnectable={false}
        edgesFocusable={false}
        multiSelectionKeyCode={null}
        selectionKeyCode={null}
        deleteKeyCode={null}
        selectNodesOnDrag={false}
        nodeDragThreshold={3}
        onlyRenderVisibleElements={rows.length > MANY}
        fitView
        fitViewOptions={{ padding: 0.05 }}
        minZoom={0.05}
        maxZoom={2}
        preventScrolling={false}
        zoomOnScroll={false}
        zoomActivationKeyCode={['Control', 'Meta']}
        ariaLabelConfig={{
          'node.a11yDescription.default': 'Press Enter to see what a change of it concerns, Escape to clear.',
          'edge.a11yDescription.default': '',
          'node.a11yDescription.keyboardDisabled': 'Press Enter to see what a change of it concerns, Escape to clear.',
        }}
        aria-label="Drawing of the dependency graph; the list beside it says the same"
      >
        <Background gap={24} />
        {/* From afar the drawing is its own map. */}
        {!far && (
          <MiniMap
            pannable
            zoomable
            style={SMALL}
            ariaLabel="Map of the whole graph"
            nodeClassName={(node: TermNodeType) => (node.data.row.hasDrift ? 'drifting' : '')}
          />
        )}
        <Controls showInteractive={false} />
      </ReactFlow>
      <p className="tools">
        <button type="button" className="button small" aria-pressed={large} onClick={onLarge}>
          {large ? 'Make smaller' : 'Enlarge'}
        </button>
        <button
          type="button"
          className="button small"
          onClick={() => {
            dragged.current.clear();
            setTidied(tidied + 1);
            void flow.fitView({ padding: 0.05, duration: pace() });
          }}
        >
          Arrange anew
        </button>
      </p>
    </div>
  );
}
