// graphql-ws, the reference client of the protocol graphql-transport-ws, against the gateway.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { createClient, stringifyMessage } from 'graphql-ws';
import WebSocket from 'ws';

import { CLAUSES, Listener, URL_WS, Workspace, anotherCfo, anotherRisk, answersOperations, cfo, codes, titles, until } from './support.mjs';

const clients = [];
after(() => Promise.all(clients.map((client) => client.dispose())));

/** A client that says who it is; `sockets` are those that it has opened. */
function connect(user, options = {}) {
  const sockets = [];
  const client = createClient({
    url: URL_WS,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ authorization: user.authorization }),
    retryWait: async () => {},
    ...options,
    on: { ...options.on, opened: (socket) => sockets.push(socket) },
  });
  client.sockets = sockets;
  clients.push(client);
  return client;
}

function listen(client, query, variables) {
  const listener = new Listener();
  listener.stop = client.subscribe({ query, variables }, listener.sink);
  return listener;
}

describe('graphql-ws', { concurrency: 4 }, () => {
  test('what another user changes over HTTP is told once, in order and in full', async (t) => {
    const workspace = await Workspace.create();
    const margin = await workspace.bindMargin();
    const client = connect(workspace.risk);
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const drift = listen(
      client,
      `subscription($workspace: UUID!, $after: String) {
        driftChanged(workspaceId: $workspace, severity: [HIGH, MEDIUM], after: $after) {
          kind changedFields cursor at actor { name }
          driftItem { title severity status currentValue baselineValue variable { id label } workspace { id } }
        }
      }`,
      variables,
    );
    const events = listen(
      client,
      `subscription($after: String) {
        events(topics: [VARIABLE, DRIFT, GRAPH], after: $after) { topic kind type id node { __typename ... on Variable { value } } }
      }`,
      { after: variables.after },
    );
    const clauses = listen(client, CLAUSES, variables);

    await workspace.edit(margin, '375 bps');
    const added = await workspace.addClauses(...Array.from({ length: 12 }, (_, n) => `2.${n} Term`));

    await t.test('the drift', async () => {
      const [{ data }, ...more] = await drift.exactly(1);
      assert.deepEqual(more, []);
      const { cursor, at, ...change } = data.driftChanged;
      assert.match(cursor, /^[\w-]{16}$/);
      assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60_000, at);
      assert.deepEqual(change, {
        kind: 'CREATED',
        changedFields: [],
        actor: { name: change.actor.name },
        driftItem: {
          title: change.driftItem.title,
          severity: 'HIGH',
          status: 'UNRESOLVED',
          currentValue: '375 bps',
          baselineValue: '3.25%',
          variable: { id: margin.id, label: 'Margin' },
          workspace: { id: workspace.id },
        },
      });
      assert.ok(change.actor.name && change.driftItem.title);
    });
    await t.test('the events', async () => {
      const told = (await events.exactly(3)).map(({ data }) => data.events).filter((event) => event.topic === 'VARIABLE');
      assert.deepEqual(told, [
        { topic: 'VARIABLE', kind: 'UPDATED', type: 'Variable', id: margin.id, node: { __typename: 'Variable', value: '375 bps' } },
      ]);
    });
    await t.test('the clauses', async () => {
      assert.deepEqual(titles(await clauses.exactly(added.length)), added);
      const cursors = clauses.messages.map(({ data }) => Buffer.from(data.clauseChanged.cursor, 'base64url').readBigInt64BE(4));
      assert.ok(cursors.every((cursor, n) => n === 0 || cursor > cursors[n - 1]), `${cursors}`);
    });
  });

  test('queries and mutations are answered over the socket', async () => {
    const workspace = await Workspace.create();
    const client = connect(workspace.agent);
    await answersOperations(listen, client, workspace);
  });

  test('what cannot be subscribed to is refused with its code, and the connection stays', async () => {
    const workspace = await Workspace.create();
    const client = connect(await cfo());
    const refused = async (query, variables) => {
      const listener = listen(client, query, variables);
      const errors = await listener.end();
      assert.deepEqual(listener.messages, []);
      assert.ok(Array.isArray(errors), `${errors}`);
      for (const { locations = [] } of errors) assert.ok(locations.every(({ line, column }) => line > 0 && column > 0));
      return codes(errors);
    };
    const kept = listen(client, 'subscription { dealChanged { kind } }');
    const drift = 'subscription($workspace: UUID!) { driftChanged(workspaceId: $workspace) { kind } }';
    assert.deepEqual(await refused(drift, { workspace: workspace.id }), ['NOT_FOUND']);
    assert.deepEqual(await refused('subscription { dealChanged { colour } }'), ['GRAPHQL_VALIDATION_FAILED']);
    assert.deepEqual(await refused('{ deals { colour } }'), ['GRAPHQL_VALIDATION_FAILED']);
    assert.deepEqual(await refused('subscription { dealChanged {'), ['GRAPHQL_PARSE_FAILED']);
    assert.deepEqual(await refused('subscription { dealChanged(after: "x") { kind } }'), ['VALIDATION_FAILED']);
    assert.equal(client.sockets.length, 1);
    assert.equal(kept.ended, false);
  });

  test('a query whose field fails is answered with data and errors, as over HTTP', async () => {
    const listener = listen(connect(await cfo()), '{ me { user { name } } deals(first: 501) { nodes { name } } }');
    assert.equal(await listener.end(), undefined);
    const [{ data, errors }] = listener.messages;
    assert.ok(data.me.user.name);
    assert.equal(data.deals, null);
    assert.deepEqual(codes(errors), ['VALIDATION_FAILED']);
  });

  test('who comes back behind its last cursor gets exactly what it missed, and then what comes', async () => {
    const workspace = await Workspace.create();
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const before = connect(workspace.risk);
    const first = listen(before, CLAUSES, variables);
    await workspace.addClauses('seen 1', 'seen 2');
    assert.deepEqual(titles(await first.atLeast(2)), ['seen 1', 'seen 2']);
    await before.dispose();

    const missed = await workspace.addClauses('missed 1', 'missed 2', 'missed 3');
    const last = first.messages.at(-1).data.clauseChanged.cursor;
    const second = listen(connect(workspace.risk), CLAUSES, { workspace: workspace.id, after: last });
    await second.atLeast(1);
    const live = await workspace.addClauses('live 1', 'live 2');
    assert.deepEqual(titles(await second.exactly(5)), [...missed, ...live]);
  });

  test('a client that reconnects by itself resumes by variables that move along', async () => {
    const workspace = await Workspace.create();
    const client = connect(workspace.risk);
    // The client sends this very object again when it reconnects.
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const listener = listen(client, CLAUSES, variables);
    listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
    const added = [];
    for (let round = 0; round < 5; round += 1) {
      const adding = workspace.addClauses(...Array.from({ length: 4 }, (_, n) => `${round}.${n}`));
      // In the midst of it, as a network would.
      await listener.atLeast(4 * round + 1);
      client.sockets.at(-1).terminate();
      added.push(...(await adding));
      await listener.atLeast(added.length);
    }
    assert.deepEqual(titles(await listener.exactly(added.length)), added);
    assert.equal(client.sockets.length, 6);
    assert.equal(listener.ended, false);
  });

  test('a client that terminates its connection resumes as well', async () => {
    const workspace = await Workspace.create();
    const client = connect(workspace.risk);
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const listener = listen(client, CLAUSES, variables);
    listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
    const added = await workspace.addClauses('1');
    await listener.atLeast(1);
    client.terminate();
    added.push(...(await workspace.addClauses('2', '3')));
    assert.deepEqual(titles(await listener.exactly(3)), added);
  });

  test('a fresh token in a ping keeps the connection beyond the end of the first', async () => {
    const workspace = await Workspace.create();
    // A session of its own: it is refreshed.
    const user = await anotherRisk();
    const short = { authorization: `Bearer ${user.shortened(8)}` };
    const [closed, pongs] = [[], []];
    const on = { closed: (event) => closed.push(event.code), pong: (received, payload) => received && pongs.push(payload) };
    const client = connect(workspace.risk, { connectionParams: short, on });
    const without = connect(workspace.risk, { connectionParams: short, retryAttempts: 0 });
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const [kept, cut] = [listen(client, CLAUSES, variables), listen(without, CLAUSES, variables)];
    const added = await workspace.addClauses('with the first token');
    await Promise.all([kept.atLeast(1), cut.atLeast(1)]);

    const fresh = await user.refresh();
    client.sockets[0].send(stringifyMessage({ type: 'ping', payload: { authorization: fresh.authorization } }));
    await until('the pong', () => pongs.length === 1);
    assert.ok(pongs[0].expiresIn > 60, JSON.stringify(pongs));

    // Without a fresh token, the connection ends with the first.
    const event = await cut.end();
    assert.equal(event.code, 4403, `${event}`);
    added.push(...(await workspace.addClauses('with the fresh one')));
    assert.deepEqual(titles(await kept.exactly(2)), added);
    assert.deepEqual(closed, []);
    assert.equal(client.sockets.length, 1);
  });

  test('a client that asks for a token whenever it connects goes on when one has expired', async () => {
    const workspace = await Workspace.create();
    const tokens = [];
    const connectionParams = () => {
      tokens.push(tokens.length === 0 ? workspace.risk.shortened(2) : workspace.risk.token);
      return { authorization: `Bearer ${tokens.at(-1)}` };
    };
    const closed = [];
    const client = connect(workspace.risk, { connectionParams, on: { closed: (event) => closed.push(event.code) } });
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const listener = listen(client, CLAUSES, variables);
    listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
    const added = await workspace.addClauses('before');
    await until('another connection', () => tokens.length === 2);
    added.push(...(await workspace.addClauses('after')));
    assert.deepEqual(titles(await listener.exactly(2)), added);
    assert.deepEqual(closed, [4403]);
  });

  test('a token of another session does not take the place of the first', async () => {
    const [user, other] = await Promise.all([cfo(), anotherCfo()]);
    const closed = [];
    const client = connect(user, { retryAttempts: 0, on: { closed: (event) => closed.push(event.code) } });
    const listener = listen(client, 'subscription { dealChanged { kind } }');
    await until('a connection', () => client.sockets[0]?.readyState === WebSocket.OPEN);
    client.sockets[0].send(stringifyMessage({ type: 'ping', payload: { authorization: other.authorization } }));
    assert.equal((await listener.end()).code, 4403);
    assert.deepEqual(closed, [4403]);
  });

  test('who is removed from a workspace hears no more of it', async () => {
    const workspace = await Workspace.create();
    const client = connect(workspace.risk);
    const listener = listen(client, CLAUSES, { workspace: workspace.id, after: await workspace.risk.cursor() });
    const added = await workspace.addClauses('as a member');
    await listener.atLeast(1);
    await workspace.removeRisk();
    await workspace.addClauses('secret');
    assert.deepEqual(codes(await listener.end()), ['NOT_FOUND']);
    assert.deepEqual(titles(listener.messages), added);
    const again = listen(client, CLAUSES, { workspace: workspace.id, after: listener.messages[0].data.clauseChanged.cursor });
    assert.deepEqual(codes(await again.end()), ['NOT_FOUND']);
    assert.deepEqual(again.messages, []);
  });

  test('a lazy client connects when it needs to and closes when it is done', async () => {
    const closed = [];
    const client = connect(await cfo(), { on: { closed: (event) => closed.push(event.code) } });
    assert.equal(client.sockets.length, 0);
    const listener = listen(client, 'subscription { dealChanged { kind } }');
    await until('a connection', () => client.sockets[0]?.readyState === WebSocket.OPEN);
    assert.equal(await listen(client, '{ eventCursor }').end(), undefined);
    assert.deepEqual(closed, []);
    listener.stop();
    assert.equal(await listener.end(), undefined);
    await until('the end', () => closed.length === 1);
    assert.deepEqual(closed, [1000]);
  });

  test('a client that is not lazy connects at once, stays, and comes back', async () => {
    let acknowledged = 0;
    const client = connect(await cfo(), { lazy: false, keepAlive: 200, on: { connected: () => (acknowledged += 1) } });
    await until('a connection', () => acknowledged === 1);
    assert.equal(await listen(client, '{ eventCursor }').end(), undefined);
    assert.equal(client.sockets[0].readyState, WebSocket.OPEN);
    client.sockets[0].terminate();
    await until('another connection', () => acknowledged === 2);
    assert.equal(await listen(client, '{ eventCursor }').end(), undefined);
  });

  test('what a subscription that was stopped still had to say is not said', async () => {
    const workspace = await Workspace.create();
    const client = connect(workspace.risk);
    const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
    const [stopped, kept] = [listen(client, CLAUSES, variables), listen(client, CLAUSES, variables)];
    await workspace.addClauses('1');
    await Promise.all([stopped.atLeast(1), kept.atLeast(1)]);
    stopped.stop();
    await workspace.addClauses('2');
    assert.deepEqual(titles(await kept.exactly(2)), ['1', '2']);
    assert.deepEqual(titles(stopped.messages), ['1']);
  });

  test('a message that is too large ends the connection for good', async () => {
    const client = connect(await cfo());
    const listener = listen(client, `{ eventCursor } #${'x'.repeat(1_100_000)}`);
    assert.equal((await listener.end()).code, 1009);
    assert.equal(client.sockets.length, 1);
  });

  test('payloads with nothing in what may be left out are taken', async () => {
    const listener = new Listener();
    const payload = { query: '{ eventCursor }', variables: null, operationName: null, extensions: null };
    connect(await cfo()).subscribe(payload, listener.sink);
    assert.equal(await listener.end(), undefined);
    assert.equal(typeof listener.messages[0].data.eventCursor, 'string');
  });
});
