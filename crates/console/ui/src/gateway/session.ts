import type { LoginMutation, WhoAmIQuery } from '../gql/graphql';
import { client, PUBLIC, renewClient } from './client';
import { Login, Logout, Refresh, WhoAmI } from './operations';
import { problem } from './problem';
import { Store } from './store';

export type Me = WhoAmIQuery['me'];
type Tokens = LoginMutation['login'] & { expires: number };

export interface Credentials {
  email: string;
  password: string;
  organization: string;
  totp?: string;
}

/** Who uses the page; null when nobody has signed in. The tokens are in memory only: closing the page ends it. */
export const session = new Store<Me | null>(null);

/** Where the stream of events was when the session began: before anything was read in it. */
export let beginning = '';

/** Why the last session ended without being asked to. */
export const ended = new Store<string | null>(null);

/** A token is refreshed when this is left of its time, milliseconds. */
const IN_TIME = 60_000;

let tokens: Tokens | null = null;
let refreshing: Promise<string | null> | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const renewed = new Set<(token: string) => void>();

/** Calls back with each fresh token, so that open connections get it before the old one expires. */
export function onFreshToken(listener: (token: string) => void) {
  renewed.add(listener);
  return () => renewed.delete(listener);
}

export const accessToken = () => tokens?.accessToken ?? null;
export const expiresSoon = () => tokens !== null && Date.now() > tokens.expires - IN_TIME / 2;

function keep(fresh: LoginMutation['login']) {
  tokens = { ...fresh, expires: Date.now() + fresh.expiresIn * 1000 };
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), Math.max(fresh.expiresIn * 1000 - IN_TIME, (fresh.expiresIn * 1000) / 2));
  // A connection takes a fresh token of its own session only: whoever becomes somebody else opens another.
  if (session.get()?.sessionId === fresh.sessionId) for (const listener of renewed) listener(fresh.accessToken);
}

/** Where it is kept what this browser is known by to the gateway: for each account, and beyond the session. It opens nothing by itself. */
const knownAs = (email: string, organization: string) => `aether-device:${organization}:${email.toLowerCase()}`;

function recall(name: string) {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    // A browser that keeps nothing is a new one each time.
    return undefined;
  }
}

function remember(name: string, token: string | null | undefined) {
  try {
    if (token) localStorage.setItem(name, token);
  } catch {
    // As above.
  }
}

let entering: Promise<unknown> = Promise.resolve();

/** Signs in, in place of whoever is signed in. Throws what the gateway says. One after the other: the last one asked for counts. */
export function signIn(credentials: Credentials) {
  const entered = entering.then(() => enter(credentials));
  entering = entered.catch(() => undefined);
  return entered;
}

async function enter({ email, password, organization, totp }: Credentials) {
  const known = knownAs(email, organization);
  const device = recall(known);
  const answer = await client.mutation(Login, { email, password, organization, totp, device }, PUBLIC).toPromise();
  if (!answer.data) throw answer.error ?? new Error('The gateway did not answer the sign-in.');
  remember(known, answer.data.login.deviceToken);
  if (tokens) await leave();
  renewClient();
  keep(answer.data.login);
  const me = await client.query(WhoAmI, {}, { requestPolicy: 'network-only' }).toPromise();
  if (!me.data) {
    const why = 'The gateway did not say who you are. Sign in again.';
    forget(why);
    throw me.error ?? new Error(why);
  }
  ended.set(null);
  beginning = me.data.eventCursor;
  session.set(me.data.me);
}

/** Asks again who one is and what one may do: whether that has changed. */
export async function reviseMe() {
  const before = session.get();
  if (!before) return false;
  const { data } = await client.query(WhoAmI, {}, { requestPolicy: 'network-only' }).toPromise();
  if (!data || session.get() !== before || JSON.stringify(data.me) === JSON.stringify(before)) return false;
  session.set(data.me);
  return true;
}

/** Exchanges the refresh token, once for all who ask. Null when nobody is signed in any more. */
export function refresh(): Promise<string | null> {
  refreshing ??= exchange().finally(() => (refreshing = null));
  return refreshing;
}

async function exchange(): Promise<string | null> {
  const old = tokens;
  if (!old) return null;
  const answer = await client.mutation(Refresh, { refreshToken: old.refreshToken }, PUBLIC).toPromise();
  // Somebody else has signed in meanwhile, or nobody is any more.
  if (tokens !== old) return accessToken();
  if (answer.data) {
    keep(answer.data.refresh);
    return answer.data.refresh.accessToken;
  }
  if (problem(answer.error).code === 'UNAUTHENTICATED') {
    forget('Your session has ended. Sign in again.');
    return null;
  }
  // The gateway is away: the token is exchanged when it is back.
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), 5_000);
  return old.accessToken;
}

/** A token that is good for a while; null when nobody is signed in any more. */
export const freshToken = async () => (expiresSoon() ? refresh() : accessToken());

export async function signOut() {
  await leave();
  forget(null);
}

async function leave() {
  // A session that cannot be ended now ends by itself.
  await client
    .mutation(Logout, {})
    .toPromise()
    .catch(() => undefined);
}

function forget(why: string | null) {
  clearTimeout(timer);
  tokens = null;
  ended.set(why);
  session.set(null);
}
