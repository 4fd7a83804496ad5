import { problem } from '../gateway/problem';

/** What went wrong, as the gateway says it, with what an operator needs to find it. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { code, message, requestId } = problem(error);
  return (
    <div className="problem" role="alert">
      <strong>{message}</strong>
      <small>
        <code>{code}</code>
        {requestId && (
          <>
            {' '}
            · request <code>{requestId}</code>
          </>
        )}
      </small>
      {retry && (
        <p>
          <button className="button small" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
