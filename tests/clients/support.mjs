// What every test stands on: users who send requests over HTTP, a workspace of the test's own, and somebody who listens.

import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the gateway is. */
export const URL_HTTP = (process.env.AETHER_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
export const URL_WS = `${URL_HTTP.replace(/^http/, 'ws')}/graphql`;
export const URL_SSE = `${URL_HTTP}/graphql/stream`;

/** The secret that the gateway signs access tokens with; unless said, that of development. */
const SECRET = process.env.AETHER_JWT_SECRET ?? 'development-only-secret-that-everybody-knows';

/** How long a test waits for what should come at once, in milliseconds; a busy machine is slower. */
const PATIENCE = 20_000;
/** How long a test waits for what must not come, in milliseconds: longer than the gateway's polling. */
const SILENCE = 700;

/** A user who sends operations over HTTP. */
export class User {
  constructor(tokens) {
    this.token = tokens.accessToken;
    this.refreshToken = tokens.refreshToken;
  }

  get authorization() {
    return `Bearer ${this.token}`;
  }

  /** The data that answers an operation. */
  async run(query, variables = {}) {
    return send(query, variables, this.authorization);
  }

  /** A fresh access token of the same session. */
  async refresh() {
    const query = 'mutation($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';
    const { refresh } = await send(query, { token: this.refreshToken });
    return new User(refresh);
  }

  /** A token of the same session that is good for so many seconds only, as the gateway would sign it. */
  shortened(seconds) {
    const [header, payload] = this.token.split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), exp: Math.floor(Date.now() / 1000) + seconds };
    const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  }

  /** Where the stream of events is now. */
  async cursor() {
    return (await this.run('{ eventCursor }')).eventCursor;
  }
}

async function send(query, variables, authorization) {
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
  const response = await fetch(`${URL_HTTP}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** A user of the demo data, signed in. */
export async function signIn(email, organization) {
  const query = `mutation($email: String!, $organization: String!) {
    login(email: $email, password: "aether-demo", organization: $organization) { accessToken refreshToken }
  }`;
  return new User((await send(query, { email, organization })).login);
}

/** Each signs in once: the gateway counts how often somebody tries. */
const once = (signing) => {
  let user;
  return () => (user ??= signing());
};

export const agent = once(() => signIn('agent@northgate-bank.example', 'northgate-bank'));
export const anotherRisk = () => signIn('risk@northgate-bank.example', 'northgate-bank');
export const risk = once(anotherRisk);
export const anotherCfo = () => signIn('sarah.chen@aether-demo.com', 'aether-demo');
export const cfo = once(anotherCfo);

/** A new workspace that the agent drafts in and risk reads along. */
export class Workspace {
  static async create() {
    const workspace = new Workspace();
    [workspace.agent, workspace.risk] = await Promise.all([agent(), risk()]);
    const name = `Project ${randomUUID()}`;
    const create = 'mutation($name: String!) { createWorkspace(input: { name: $name, currency: "EUR", amount: "1000000" }) { id } }';
    workspace.id = (await workspace.agent.run(create, { name })).createWorkspace.id;
    await workspace.agent.run(
      `mutation($workspace: UUID!) { inviteMember(workspaceId: $workspace, input: {
        email: "risk@northgate-bank.example", organization: "northgate-bank", role: RISK }) { id } }`,
      { workspace: workspace.id },
    );
    await workspace.risk.run('mutation($workspace: UUID!) { acceptInvitation(workspaceId: $workspace) { id } }', {
      workspace: workspace.id,
    });
    return workspace;
  }

  /** Adds a clause, which is one change of the topic `clause`. */
  async addClause(title) {
    const query = `mutation($workspace: UUID!, $title: String!) {
      addClause(workspaceId: $workspace, input: { title: $title, type: FINANCIAL, body: "As agreed." }) { id }
    }`;
    return (await this.agent.run(query, { workspace: this.id, title })).addClause.id;
  }

  /** Adds clauses one after the other, and tells their titles. */
  async addClauses(...titles) {
    for (const title of titles) await this.addClause(title);
    return titles;
  }

  /** Binds a term of 3.25 per cent to a new clause. */
  async bindMargin() {
    const query = `mutation($clause: UUID!) {
      bindVariable(clauseId: $clause, input: { label: "Margin", type: FINANCIAL, value: "3.25%", baselineValue: "3.25%" }) {
        id rowVersion
      }
    }`;
    return (await this.agent.run(query, { clause: await this.addClause('1.1 Margin') })).bindVariable;
  }

  /** Gives the term another value. */
  async edit(margin, value) {
    const query = `mutation($id: UUID!, $version: Int!, $value: String!) {
      editVariable(id: $id, expectedVersion: $version, input: { value: $value },
        reason: "Market has moved", reasonCategory: MARKET_CONDITIONS) { id rowVersion }
    }`;
    return (await this.agent.run(query, { id: margin.id, version: margin.rowVersion, value })).editVariable;
  }

  async removeRisk() {
    const { workspaceMembers } = await this.agent.run(
      `query($workspace: UUID!) { workspaceMembers(filter: {
        workspaceId: { eq: $workspace }, role: { eq: RISK } }) { nodes { id rowVersion } } }`,
      { workspace: this.id },
    );
    const [{ id, rowVersion }] = workspaceMembers.nodes;
    const query = 'mutation($id: UUID!, $version: Int!) { removeMember(id: $id, expectedVersion: $version) { id } }';
    await this.agent.run(query, { id, version: rowVersion });
  }
}

/** The clauses that were added, told with a cursor each. */
export const CLAUSES = `subscription($workspace: UUID!, $after: String) {
  clauseChanged(workspaceId: $workspace, after: $after) { kind cursor clause { id title } }
}`;

/** Somebody who listens to an operation; a sink for either client. */
export class Listener {
  messages = [];
  ended = false;
  error = undefined;
  /** Called with each message, as an application would that remembers how far it got. */
  heard = () => {};
  #waiting = [];

  next(message) {
    this.messages.push(message);
    this.heard(message);
    this.#wake();
  }

  fail(error) {
    this.error = error;
    this.ended = true;
    this.#wake();
  }

  complete() {
    this.ended = true;
    this.#wake();
  }

  /** What the clients call. */
  get sink() {
    return { next: (m) => this.next(m), error: (e) => this.fail(e), complete: () => this.complete() };
  }

  #wake() {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  async #until(what, is) {
    const end = Date.now() + PATIENCE;
    while (!is()) {
      if (Date.now() > end) throw new Error(`${what} did not come; ${JSON.stringify(this.messages)} ${this.error}`);
      await Promise.race([new Promise((wake) => this.#waiting.push(wake)), sleep(100)]);
    }
  }

  /** The messages, once there are so many, and after a while in which no more must come. */
  async exactly(count) {
    await this.#until(`message ${count}`, () => this.messages.length >= count || this.ended);
    await sleep(SILENCE);
    return this.messages;
  }

  /** Waits until there are so many messages. */
  async atLeast(count) {
    await this.#until(`message ${count}`, () => this.messages.length >= count || this.ended);
    return this.messages;
  }

  /** Waits until the operation has ended, and tells its error. */
  async end() {
    await this.#until('the end', () => this.ended);
    return this.error;
  }
}

/** Waits until something is so. */
export async function until(what, is) {
  const end = Date.now() + PATIENCE;
  while (!is()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE} ms`);
    await sleep(10);
  }
}

/** The codes of errors. */
export const codes = (errors) => errors.map((error) => error.extensions.code);

/** The titles of the clauses that were told. */
export const titles = (messages) => messages.map((message) => message.data.clauseChanged.clause.title);

/** A query and a mutation beside it, each answered once over what carries subscriptions. */
export async function answersOperations(listen, client, workspace) {
  const query = listen(client, 'query($id: UUID!) { workspace(id: $id) { id } }', { id: workspace.id });
  const mutation = listen(
    client,
    'mutation($workspace: UUID!) { addClause(workspaceId: $workspace, input: { title: "1", type: FINANCIAL, body: "." }) { title } }',
    { workspace: workspace.id },
  );
  assert.equal(await query.end(), undefined);
  assert.deepEqual(query.messages.map(({ data }) => data), [{ workspace: { id: workspace.id } }]);
  assert.equal(await mutation.end(), undefined);
  assert.deepEqual(mutation.messages.map(({ data }) => data), [{ addClause: { title: '1' } }]);
}
