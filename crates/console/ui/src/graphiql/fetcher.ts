import type { Fetcher, FetcherParams, Observable } from '@graphiql/toolkit';
import { getOperationAST, OperationTypeNode, type DocumentNode, type GraphQLError } from 'graphql';
import { createClient, type Client, type ExecutionResult, type Sink } from 'graphql-ws';
import { accessToken, freshToken, onFreshToken, refresh, session } from '../gateway/session';

/** Sends what GraphiQL runs as whoever is signed in: subscriptions over WebSocket, the rest over HTTP. */
export const fetcher: Fetcher = (params, options) =>
  isSubscription(params, options?.documentAST) ? subscribe(params) : request(params, options?.headers);

const isSubscription = ({ operationName }: FetcherParams, document?: DocumentNode) =>
  document !== undefined && getOperationAST(document, operationName)?.operation === OperationTypeNode.SUBSCRIPTION;

async function request(params: FetcherParams, headers: unknown): Promise<ExecutionResult> {
  const answer = await post(params, headers, await freshToken());
  if (!refused(answer) || !accessToken()) return answer;
  // The token was taken back before its time. If the session lives, a fresh one will do; if not, the sign-in form comes.
  const token = await refresh();
  return token ? post(params, headers, token) : answer;
}

async function post(params: FetcherParams, headers: unknown, token: string | null): Promise<ExecutionResult> {
  let answer;
  try {
    answer = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(headers as Record<string, string> | undefined),
      },
      body: JSON.stringify(params),
    });
  } catch {
    return failed('The gateway cannot be reached.');
  }
  if (answer.headers.get('Content-Type')?.includes('json')) return answer.json() as Promise<ExecutionResult>;
  return failed(`The gateway answered ${answer.status}: ${await answer.text()}`);
}

// Not thrown: GraphiQL would show where in its code that was.
const failed = (message: string) => ({ errors: [{ message } as GraphQLError] });

const refused = ({ errors }: ExecutionResult) => errors?.[0]?.extensions?.code === 'UNAUTHENTICATED';

let socket: Client | undefined;
let stopTokens: (() => unknown) | undefined;
let owner = session.get()?.sessionId;
const running = new Set<() => void>();

const REPLACED = 'The session that subscribed to this has ended. Run it again to subscribe as who you are now.';

const subscribe = (params: FetcherParams) =>
  ({
    subscribe(observer: Sink<ExecutionResult>) {
      socket ??= connect();
      const stop = socket.subscribe(params, {
        next: (message) => observer.next(message as ExecutionResult),
        error: (error) => {
          if (error instanceof CloseEvent) end(`The connection was closed: ${error.code} ${error.reason}`.trim());
          else if (error instanceof Event) end('The gateway cannot be reached. Run it again when it is back.');
          else if (Array.isArray(error)) end(refused({ errors: error }) ? REPLACED : (error as GraphQLError[]));
          else end(error instanceof Error ? error.message : 'The subscription failed. Run it again.');
        },
        complete: () => end(),
      });
      const end = (error?: string | GraphQLError[]) => {
        if (!running.delete(replaced)) return;
        if (error) observer.next(typeof error === 'string' ? failed(error) : { errors: error });
        observer.complete();
      };
      const replaced = () => {
        end(REPLACED);
        stop();
      };
      running.add(replaced);
      return { unsubscribe: () => (running.delete(replaced), stop()) };
    },
  }) as Observable<ExecutionResult>;

/** The socket of the session; it is open only while something is subscribed to. */
function connect(): Client {
  let open: WebSocket | undefined;
  const client = createClient({
    url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
    connectionParams: async () => {
      const token = await freshToken();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    // What was missed meanwhile would be left out without a word: who runs it says from where.
    retryAttempts: 0,
    on: { opened: (opened) => (open = opened as WebSocket), closed: () => (open = undefined) },
  });
  stopTokens = onFreshToken((token) => {
    if (open?.readyState === WebSocket.OPEN)
      open.send(JSON.stringify({ type: 'ping', payload: { authorization: `Bearer ${token}` } }));
  });
  return client;
}

session.subscribe(() => {
  const now = session.get()?.sessionId;
  if (now === owner) return;
  owner = now;
  stopTokens?.();
  for (const replaced of [...running]) replaced();
  // A connection that was just being opened has nobody left to tell.
  socket?.dispose()?.catch(() => undefined);
  socket = undefined;
});
