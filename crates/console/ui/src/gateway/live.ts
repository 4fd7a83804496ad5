import { createClient, type Client as Socket } from 'graphql-ws';
import { useEffect, useRef } from 'react';
import { stringifyDocument, type AnyVariables, type TypedDocumentNode } from '@urql/core';
import { useQuery } from 'urql';
import type { EventsSubscription, Topic } from '../gql/graphql';
import { client } from './client';
import { Events, Now } from './operations';
import { problem } from './problem';
import { freshToken, onFreshToken, session } from './session';
import { Store } from './store';

export type LiveEvent = EventsSubscription['events'];

/** How the page stands with the gateway. */
export type Connection = 'connecting' | 'live' | 'away';
export const connection = new Store<Connection>('connecting');

/** How many changes came in late, after the connection was back. */
export const replayed = new Store(0);

/** How long to wait before the gateway is tried again, milliseconds. */
const AGAIN = [200, 500, 1_000, 2_000, 3_000];
/** Changes that come within this time are read together, milliseconds. */
const TOGETHER = 150;
/** What was committed longer ago than this when the connection came back was missed, milliseconds. */
const MISSED = 1_000;

const listeners = new Set<(event: LiveEvent) => void>();
const back = new Set<() => void>();
let socket: Socket | undefined;

/** Follows everything that the user may see, for as long as the session lasts. */
function follow() {
  let open: WebSocket | undefined;
  let lost: number | undefined;
  const variables: { after?: string } = {};
  const ours: Socket = createClient({
    url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
    connectionParams: async () => {
      const token = await freshToken();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    retryAttempts: Infinity,
    shouldRetry: () => socket === ours,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, AGAIN[Math.min(retries, AGAIN.length - 1)])),
    on: {
      opened: (opened) => (open = opened as WebSocket),
      connected: () => {
        const returned = lost !== undefined;
        connection.set('live');
        if (returned) for (const listener of back) listener();
      },
      closed: () => {
        open = undefined;
        if (socket !== ours) return;
        lost ??= Date.now();
        connection.set('away');
      },
    },
  });
  socket = ours;
  connection.set('connecting');
  replayed.set(0);
  const stopTokens = onFreshToken((token) => {
    if (open?.readyState === WebSocket.OPEN)
      open.send(JSON.stringify({ type: 'ping', payload: { authorization: `Bearer ${token}` } }));
  });

  async function begin() {
    if (socket !== ours) return;
    // Noted before anything is read, so that nothing falls between reading and following.
    const now = await client.query(Now, {}, { requestPolicy: 'network-only' }).toPromise();
    if (socket !== ours) return;
    if (!now.data) return void setTimeout(() => void begin(), AGAIN.at(-1));
    variables.after = now.data.eventCursor;
    ours.subscribe<EventsSubscription>(
      { query: stringifyDocument(Events), variables },
      {
        next: ({ data }) => {
          if (!data) return;
          const event = data.events;
          // Set where the message is taken: a connection that breaks goes on exactly behind it.
          variables.after = event.cursor;
          if (lost !== undefined) {
            if (Date.now() - Date.parse(event.at) > MISSED) replayed.set(replayed.get() + 1);
            else lost = undefined;
          }
          for (const listener of [...listeners]) listener(event);
        },
        error: (error) => {
          // Too long away to be told what was missed: everything is read again.
          if (problem(error).code === 'CURSOR_EXPIRED') for (const listener of back) listener();
          if (socket === ours) setTimeout(() => void begin(), AGAIN.at(-1));
        },
        complete: () => undefined,
      },
    );
  }
  void begin();
  return () => {
    stopTokens();
    if (socket === ours) socket = undefined;
    void ours.dispose();
  };
}

let stop: (() => void) | undefined;
let followed: string | undefined;
function turn() {
  const now = session.get()?.sessionId;
  if (now === followed) return;
  stop?.();
  followed = now;
  stop = now ? follow() : undefined;
}
// Somebody may have signed in before this was loaded.
turn();
session.subscribe(turn);

/** Calls back with each change that the user may see. */
export function useEvents(listener: (event: LiveEvent) => void) {
  const latest = useRef(listener);
  useEffect(() => void (latest.current = listener));
  useEffect(() => {
    const told = (event: LiveEvent) => latest.current(event);
    listeners.add(told);
    return () => void listeners.delete(told);
  }, []);
}

/** Whether a change is of another workspace than this one. */
const isElsewhere = ({ node }: LiveEvent, workspace: string) =>
  node != null && 'workspaceId' in node && node.workspaceId !== workspace;

/**
 * The answer to a query, kept true: read again when something under one of these topics changes, in this workspace if one is named, and
 * after an interruption.
 */
export function useLive<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  topics: readonly Topic[],
  workspace?: string,
) {
  const [{ data, error, fetching }, read] = useQuery({ query, variables, requestPolicy: 'cache-and-network' });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const reload = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      read({ requestPolicy: 'network-only' });
    }, TOGETHER);
  };
  const again = useRef(reload);
  useEffect(() => void (again.current = reload));
  useEvents((event) => topics.includes(event.topic) && !(workspace && isElsewhere(event, workspace)) && reload());
  useEffect(() => {
    const returned = () => again.current();
    back.add(returned);
    return () => {
      back.delete(returned);
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, []);
  return { data, error, fetching, reload };
}
