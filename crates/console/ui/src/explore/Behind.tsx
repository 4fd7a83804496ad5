import { useSetting } from '../gateway/demo';
import { linkTo } from '../graphiql/sharedLink';
import { useCopied } from './useCopied';
import type { Operation } from './operation';

/** The GraphQL behind a question: to be read, copied, and gone on with. */
export function Behind({ query, variables }: Operation) {
  const graphiql = useSetting()?.graphiql;
  const { said, copy } = useCopied();
  const json = JSON.stringify(variables, null, 2);
  return (
    <details className="behind">
      <summary>The GraphQL behind it</summary>
      <p className="actions">
        <button className="button small" onClick={() => void copy(query, 'The operation is')}>
          Copy the operation
        </button>
        <button className="button small" onClick={() => void copy(json, 'The variables are')}>
          Copy the variables
        </button>
        {graphiql && (
          <a
            className="button small"
            href={linkTo({ query, variables: json }, '/graphiql')}
            target="_blank"
            rel="noopener"
          >
            Open in GraphiQL
          </a>
        )}
        <span className="quiet" role="status">
          {said}
        </span>
      </p>
      <div className="texts">
        <pre tabIndex={0} role="region" aria-label="Operation">
          {query}
        </pre>
        <pre tabIndex={0} role="region" aria-label="Variables">
          {json}
        </pre>
      </div>
    </details>
  );
}
