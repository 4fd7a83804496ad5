import { createClient, type Client as Socket } from 'graphql-ws';
import { useEffect, useRef, useState } from 'react';
import {
  stringifyDocument,
  type AnyVariables,
  type Client,
  type CombinedError,
  type TypedDocumentNode,
} from '@urql/core';
import { useClient } from 'urql';
import type { EventsSubscription, Topic } from '../gql/graphql';
import { client } from './client';
import { Events, Now } from './operations';
import { problem } from './problem';
import { beginning, freshToken, onFreshToken, refresh, reviseMe, session } from './session';
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
/** What time it is by the gateway's clock, to the end of the second: that of the browser may be wrong. */
async function gatewayTime() {
  const answer = await fetch('/healthz', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  const told = answer?.headers.get('date');
  return told ? Date.parse(told) + 999 : Date.now();
}

const listeners = new Set<(event: LiveEvent) => void>();
const back = new Set<() => void>();
let socket: Socket | undefined;

/** Follows everything that the user may see, for as long as the session lasts. */
function follow() {
  let open: WebSocket | undefined;
  let isLost = false;
  let isRefused = false;
  let returned: Promise<number> | undefined;
  const variables = { after: beginning };
  const ours: Socket = createClient({
    url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
    connectionParams: async () => {
      const token = await (isRefused ? refresh() : freshToken());
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    retryAttempts: Infinity,
    shouldRetry: () => socket === ours,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, AGAIN[Math.min(retries, AGAIN.length - 1)])),
    on: {
      opened: (opened) => (open = opened as WebSocket),
      connected: () => {
        if (socket !== ours) return;
        isRefused = false;
        connection.set('live');
        if (!isLost) return;
        isLost = false;
        returned = gatewayTime();
        readAgain();
      },
      closed: (event) => {
        open = undefined;
        if (socket !== ours) return;
        // The token is good by the clock, but not to the gateway: only another one will do.
        isRefused = event instanceof CloseEvent && event.code === 4403;
        if (!isLost) replayed.set(0);
        isLost = true;
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

  function begin() {
    if (socket !== ours) return;
    ours.subscribe<EventsSubscription>(
      { query: stringifyDocument(Events), variables },
      {
        next: ({ data }) => {
          if (!data) return;
          // Set where the message is taken: a connection that breaks goes on exactly behind it.
          variables.after = data.events.cursor;
          const at = Date.parse(data.events.at);
          void returned?.then((back) => {
            if (socket === ours && at <= back) replayed.set(replayed.get() + 1);
          });
          for (const listener of [...listeners]) listener(data.events);
        },
        error: (error) => void setTimeout(() => void anew(error), AGAIN.at(-1)),
        complete: () => undefined,
      },
    );
  }

  /** Begins again after an error; where what was missed cannot be told any more, from now on, and everything is read again. */
  async function anew(error: unknown) {
    if (socket !== ours) return;
    if (['CURSOR_EXPIRED', 'VALIDATION_FAILED'].includes(problem(error).code)) {
      const now = await client.query(Now, {}, { requestPolicy: 'network-only' }).toPromise();
      if (!now.data) return void setTimeout(() => void anew(error), AGAIN.at(-1));
      variables.after = now.data.eventCursor;
      readAgain();
    } else if (problem(error).code === 'UNAUTHENTICATED') {
      // Has the session ended? Then there is no fresh token, and the sign-in form comes.
      await refresh();
    }
    begin();
  }
  begin();
  return () => {
    stopTokens();
    if (socket === ours) socket = undefined;
    // While it is connecting it cannot be disposed of, and ends by itself.
    void Promise.resolve(ours.dispose()).catch(() => undefined);
  };
}

/** How often one's permissions are looked after, for changes of which one is not told: being removed, milliseconds. */
const REVISED = 15_000;

/** Keeps what the page offers to what the user may do. */
function watchMe() {
  const revise = () => void reviseMe().then((changed) => changed && readAgain());
  const told = ({ topic }: LiveEvent) => (topic === 'USER' || topic === 'WORKSPACE') && revise();
  const timer = setInterval(revise, REVISED);
  listeners.add(told);
  return () => {
    clearInterval(timer);
    listeners.delete(told);
  };
}

function readAgain() {
  for (const listener of [...back]) listener();
}

let stop: (() => void) | undefined;
let followed: string | undefined;
function turn() {
  const now = session.get()?.sessionId;
  if (now === followed) return;
  stop?.();
  followed = now;
  const stops = now ? [follow(), watchMe()] : [];
  stop = () => stops.forEach((end) => end());
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

/** Calls back when everything is to be read again: the connection was interrupted, or one may see other things now. */
export function useBack(listener: () => void) {
  const latest = useRef(listener);
  useEffect(() => void (latest.current = listener));
  useEffect(() => {
    const returned = () => latest.current();
    back.add(returned);
    return () => void back.delete(returned);
  }, []);
}

/** Whether a change is of another workspace than this one. */
const isElsewhere = ({ node }: LiveEvent, workspace: string) =>
  node != null && 'workspaceId' in node && node.workspaceId !== workspace;

interface Answer<Data> {
  key: string;
  data?: Data;
  error?: CombinedError;
}

const known = <Data, Variables extends AnyVariables>(
  reader: Client,
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => reader.readQuery<Data, Variables>(query, variables, { requestPolicy: 'cache-only' })?.data;

/**
 * The answer to a query, kept true: read again when something under one of these topics changes, in this workspace if one is named, and
 * after an interruption. Reads follow one another, so an older answer never takes the place of a newer one.
 */
export function useLive<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  topics: readonly Topic[],
  workspace?: string,
) {
  const reader = useClient();
  const key = JSON.stringify(variables);
  const [answer, setAnswer] = useState<Answer<Data>>();
  const reload = useRef(() => {});
  useEffect(() => {
    let isGone = false;
    let isReading = false;
    let isStale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    async function read() {
      timer = undefined;
      if (isReading) return void (isStale = true);
      isReading = true;
      do {
        isStale = false;
        const { data, error } = await reader.query(query, variables, { requestPolicy: 'network-only' }).toPromise();
        if (isGone) return;
        // Beside an error what was there stays in sight, whole as it was; but not what one may not see any more.
        const kept = (before: Answer<Data> | undefined) =>
          before?.key === key && problem(error).code !== 'FORBIDDEN' ? before.data : undefined;
        setAnswer((before) => ({ key, data: error ? kept(before) : data, error }));
      } while (isStale);
      isReading = false;
    }
    reload.current = () => void (timer ??= setTimeout(() => void read(), TOGETHER));
    void read();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
    // The key stands for the variables, which are new objects each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [reader, query, key]);
  useEvents(
    (event) => topics.includes(event.topic) && !(workspace && isElsewhere(event, workspace)) && reload.current(),
  );
  useBack(() => reload.current());
  // Until the answer is there, the one from when it was last asked is better than none.
  const { data, error } = answer?.key === key ? answer : { data: known(reader, query, variables), error: undefined };
  return { data, error, reload: () => reload.current() };
}
