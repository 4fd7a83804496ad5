import { useState } from 'react';
import type { WorkspaceClausesQuery, WorkspaceVariablesQuery } from '../gql/graphql';
import { Badge, SeverityBadge } from '../parts/Badge';
import { marks, type DriftMark, type DriftRow } from './drift';
import { counted, words } from '../parts/format';
import { useFresh } from '../parts/useFresh';
import { VariableItem } from './VariableItem';
import './outline.css';

export type ClauseRow = NonNullable<WorkspaceClausesQuery['workspace']>['clauses']['nodes'][number];
export type VariableRow = NonNullable<WorkspaceVariablesQuery['workspace']>['variables']['nodes'][number];

export interface OutlineProps {
  clauses: ClauseRow[];
  variables: VariableRow[];
  drift: readonly DriftRow[];
  /** The node of a clause or variable by the id of that; boilerplate has none. */
  nodeOf: ReadonlyMap<string, string>;
  selected: string | null;
  onSelect: (node: string) => void;
  /** Whether the reader may edit the variables of a clause, and whether that needs a reason. */
  editing: (clause: ClauseRow) => { allowed: boolean; reasonRequired: boolean };
  /** Whether the reader may know what was agreed; investors may not. */
  agreed: boolean;
  reload: () => void;
}

export const DriftBadge = ({ mark }: { mark: DriftMark | undefined }) =>
  mark ? (
    <SeverityBadge
      severity={mark.severity}
      before={
        <>
          <span className="hidden">Unresolved drift: </span>▲ {mark.count}{' '}
        </>
      }
    />
  ) : null;

/** The clauses in their order, each with its variables. */
export function Outline({
  clauses,
  variables,
  drift,
  nodeOf,
  selected,
  onSelect,
  editing,
  agreed,
  reload,
}: OutlineProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const fresh = useFresh('VARIABLE');
  const ofClause = marks(drift, ({ clauseId }) => clauseId);
  const ofVariable = marks(drift, ({ variableId }) => variableId);
  const grouped = Map.groupBy(variables, ({ clauseId }) => clauseId);
  const withVariables = clauses.filter(({ id }) => grouped.has(id)).map(({ id }) => id);
  const all = withVariables.length > 0 && withVariables.every((id) => open.has(id));

  const toggle = (id: string) =>
    setOpen((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });

  return (
    <section className="panel outline" aria-labelledby="outline-title">
      <div className="title">
        <h2 id="outline-title">Clauses</h2>
        <span className="quiet">{clauses.length}</span>
        {withVariables.length > 0 && (
          <button type="button" className="button small" onClick={() => setOpen(new Set(all ? [] : withVariables))}>
            {all ? 'Fold all' : 'Unfold all'}
          </button>
        )}
      </div>
      {clauses.length === 0 && <p className="quiet">No clauses yet.</p>}
      <ol>
        {clauses.map((clause) => {
          const own = grouped.get(clause.id) ?? [];
          const node = nodeOf.get(clause.id);
          const unfolded = open.has(clause.id);
          return (
            <li key={clause.id}>
              <div className="clause">
                {own.length > 0 ? (
                  <button type="button" className="fold" aria-expanded={unfolded} onClick={() => toggle(clause.id)}>
                    <span aria-hidden="true">{unfolded ? '▾' : '▸'}</span>
                    <span className="hidden">
                      {counted(own.length, 'variable')} of {clause.title}
                    </span>
                  </button>
                ) : (
                  <span />
                )}
                {node ? (
                  <button
                    type="button"
                    className="pick"
                    aria-pressed={node === selected}
                    onClick={() => onSelect(node)}
                  >
                    {clause.title}
                  </button>
                ) : (
                  <span className="pick">{clause.title}</span>
                )}
                <span className="marks">
                  <small className="quiet">{clause.type === 'XREF' ? 'Cross-reference' : words(clause.type)}</small>
                  {clause.isSensitive && <Badge tone="accent">Sensitive</Badge>}
                  {clause.isLocked && <Badge>Locked{clause.lockedByUser && ` by ${clause.lockedByUser.name}`}</Badge>}
                  <DriftBadge mark={ofClause.get(clause.id)} />
                </span>
              </div>
              {unfolded && (
                <ul>
                  {own.map((variable) => (
                    <VariableItem
                      key={variable.id}
                      variable={variable}
                      mark={ofVariable.get(variable.id)}
                      fresh={fresh(variable.id)}
                      node={nodeOf.get(variable.id)}
                      selected={selected}
                      onSelect={onSelect}
                      editing={editing(clause)}
                      agreed={agreed}
                      reload={reload}
                    />
                  ))}
                </ul>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
