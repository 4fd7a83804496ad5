import { useEffect, useMemo, useState } from 'react';
import { useLive } from '../gateway/live';
import { problem } from '../gateway/problem';
import { session } from '../gateway/session';
import { useStore } from '../gateway/store';
import { Problem } from '../parts/Problem';
import { AuditFeed } from './AuditFeed';
import { DriftList } from './DriftList';
import { counted } from '../parts/format';
import { GraphPanel } from './graph/GraphPanel';
import {
  WorkspaceClauses,
  WorkspaceDrift,
  WorkspaceEdges,
  WorkspaceHead,
  WorkspaceNodes,
  WorkspaceVariables,
} from './operations';
import { Outline, type ClauseRow } from './Outline';
import { may } from './permissions';
import { useAll } from './useAll';
import { WorkspaceHeader, type Head, type Seat } from './WorkspaceHeader';
import './workspace.css';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A loan deal under documentation: its clauses, how they depend on each other, and what has drifted. */
export function Workspace({ id }: { id: string }) {
  const me = useStore(session);
  if (!me) return null;
  if (!UUID.test(id)) return <Absent />;
  return <Found key={`${id} ${me.sessionId}`} id={id} user={me.user.id} />;
}
export default Workspace;

const Absent = () => (
  <section className="panel absent">
    <h1>No such workspace</h1>
    <p>It does not exist, or you are not a member of it.</p>
    <p>
      <a href="#/">Back to the overview</a>
    </p>
  </section>
);

interface Reader {
  id: string;
  user: string;
}

function Found(reader: Reader) {
  const { data, error, reload } = useLive(WorkspaceHead, { id: reader.id }, ['WORKSPACE', 'GRAPH'], reader.id);
  // Without an answer, nobody knows that it is absent.
  if (error ? problem(error).code === 'NOT_FOUND' : data && !data.workspace) return <Absent />;
  if (data?.workspace) {
    return (
      <>
        {error && <Problem error={error} retry={reload} />}
        <Contents {...reader} workspace={data.workspace} seat={data.me.workspaces[0]} />
      </>
    );
  }
  if (error) return <Problem error={error} retry={reload} />;
  return (
    <p role="status" className="quiet">
      Loading the workspace…
    </p>
  );
}

function Contents({ id, user, workspace, seat }: Reader & { workspace: Head; seat: Seat | undefined }) {
  const clauses = useAll(WorkspaceClauses, id, ['CLAUSE'], (data) => data.workspace?.clauses);
  const variables = useAll(WorkspaceVariables, id, ['VARIABLE', 'CLAUSE'], (data) => data.workspace?.variables);
  const drift = useAll(WorkspaceDrift, id, ['DRIFT'], (data) => data.workspace?.driftItems);
  const nodes = useAll(WorkspaceNodes, id, ['GRAPH', 'DRIFT'], (data) => data.workspace?.graphNodes);
  const edges = useAll(WorkspaceEdges, id, ['GRAPH'], (data) => data.workspace?.graphEdges);
  const [chosen, setChosen] = useState<string | null>(null);
  const [reveal, setReveal] = useState(0);

  const nodeOf = useMemo(
    () => new Map((nodes.rows ?? []).map((node) => [node.variableId ?? node.clauseId ?? node.id, node.id])),
    [nodes.rows],
  );
  const names = useMemo(
    () =>
      new Map([
        ...(clauses.rows ?? []).map(({ id, title }) => [id, title] as const),
        ...(variables.rows ?? []).map(({ id, label }) => [id, label] as const),
        ...(drift.rows ?? []).map(({ id, title }) => [id, title] as const),
      ]),
    [clauses.rows, variables.rows, drift.rows],
  );
  // A node that is gone is not selected any more.
  const selected = chosen !== null && nodes.rows?.some((node) => node.id === chosen) ? chosen : null;
  const show = (node: string | undefined) => {
    if (!node) return;
    setChosen(node);
    setReveal((count) => count + 1);
  };
  useEffect(() => {
    const escaped = (event: KeyboardEvent) =>
      event.key === 'Escape' && !document.querySelector('dialog[open]') && setChosen(null);
    document.addEventListener('keydown', escaped);
    return () => document.removeEventListener('keydown', escaped);
  }, []);

  const permissions = useMemo(() => (seat?.permissions ?? []).map(({ name }) => name), [seat]);
  const editing = (clause: ClauseRow) => ({
    allowed: may(permissions, 'variable:edit') && (!clause.isLocked || clause.lockedBy === user),
    reasonRequired: clause.isSensitive && (workspace.governanceRules?.requireReasonForSensitiveEdits ?? true),
  });
  const open = drift.rows?.filter(({ status }) => status === 'UNRESOLVED');
  const high = open?.filter(({ severity }) => severity === 'HIGH').length;
  const failed = clauses.error ?? variables.error;

  return (
    <div className="workspace">
      <WorkspaceHeader
        workspace={workspace}
        seat={seat}
        unresolved={open?.length ? `${counted(open.length, 'item')} unresolved${high ? `, ${high} high` : ''}` : null}
      />
      {failed !== undefined && <Problem error={failed} />}
      {clauses.rows && variables.rows ? (
        <Outline
          clauses={clauses.rows}
          variables={variables.rows}
          drift={drift.rows ?? []}
          nodeOf={nodeOf}
          selected={selected}
          onSelect={show}
          editing={editing}
          agreed={seat?.role !== 'INVESTOR'}
          reload={variables.reload}
        />
      ) : (
        !failed && (
          <p role="status" className="panel quiet">
            Loading the clauses…
          </p>
        )
      )}
      <div className="main-column">
        <GraphPanel
          rows={nodes.rows}
          edges={edges.rows}
          error={nodes.error ?? edges.error}
          selected={selected}
          reveal={reveal}
          onSelect={setChosen}
          onShow={show}
        />
        <div className="below">
          <section className="panel" aria-labelledby="drift-title">
            <h2 id="drift-title">Drift</h2>
            {drift.error !== undefined && <Problem error={drift.error} />}
            {drift.rows ? (
              <DriftList
                items={drift.rows}
                permissions={() => permissions}
                reload={drift.reload}
                nothing={seat?.role === 'INVESTOR' ? 'Investors see drift once it is settled.' : undefined}
                onSelect={({ variableId, clauseId }) => show(nodeOf.get(variableId ?? clauseId))}
              />
            ) : (
              !drift.error && (
                <p role="status" className="quiet">
                  Loading…
                </p>
              )
            )}
          </section>
          <AuditFeed id={id} names={names} />
        </div>
      </div>
    </div>
  );
}
