import type { ImpactQuery } from '../../gql/graphql';
import { Badge } from '../../parts/Badge';
import { Problem } from '../../parts/Problem';
import { counted, words } from '../../parts/format';
import { kindOf, Shape } from './TermNode';

interface Props {
  impact: ImpactQuery | undefined;
  error: unknown;
  onShow: (id: string) => void;
  onClear: () => void;
}

/** What the selected node affects: the drawing in words. */
export function ImpactList({ impact, error, onShow, onClear }: Props) {
  if (error && !impact)
    return (
      <div className="impact">
        <Problem error={error} />
      </div>
    );
  const node = impact?.graphNode;
  if (!impact || !node)
    return (
      <div className="impact">
        <p role="status" className="quiet">
          Looking up what it affects…
        </p>
      </div>
    );
  const { impactOf } = impact;
  return (
    <div className="impact">
      <div className="impact-head">
        <h3>
          <Shape type={node.type} /> {node.label}
        </h3>
        <button type="button" className="button small" onClick={onClear}>
          Clear
        </button>
      </div>
      <p className="quiet">
        {kindOf(node)}
        {node.value && <> · {node.value}</>}
      </p>
      {node.warnings.nodes.map(({ id, kind, message }) => (
        <p key={id} className="warning">
          <Badge tone="warn">! {words(kind)}</Badge> {message}
        </p>
      ))}
      <p role="status">
        {impactOf.length
          ? `A change here may concern ${counted(impactOf.length, 'other')}, nearest first:`
          : 'A change here concerns nothing else.'}
      </p>
      <ol>
        {impactOf.map((one) => (
          <li key={one.nodeId}>
            <button type="button" onClick={() => onShow(one.nodeId)}>
              <span className="distance">
                <span className="hidden">Distance </span>
                {one.distance}
              </span>
              <Shape type={one.type} />
              <span>
                <span>{one.label}</span>
                <small>
                  {kindOf(one)}
                  {one.value && <> · {one.value}</>}
                </small>
              </span>
              {one.hasDrift && <Badge tone="bad">▲ Drift</Badge>}
              {one.hasWarning && (
                <Badge tone="warn">
                  !<span className="hidden"> Warning</span>
                </Badge>
              )}
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
