// graphql-sse, the reference client of GraphQL over server-sent events, against the gateway, in both modes; and resuming by
// `Last-Event-ID`, which browsers do by themselves and this client leaves to the application.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { createClient } from 'graphql-sse';

import { CLAUSES, Listener, URL_SSE, Workspace, answersOperations, cfo, codes, titles, until } from './support.mjs';

const clients = [];
after(() => clients.forEach((client) => client.dispose()));

/** A client that says who it is. Its connections can be cut, as a network would; `opened` counts them. */
function connect(user, singleConnection, options = {}) {
  const streams = new Set();
  const client = createClient({
    url: URL_SSE,
    singleConnection,
    headers: () => ({ authorization: user.authorization }),
    retry: async () => {},
    fetchFn: async (url, init) => {
      const response = await fetch(url, init);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
      // What is read goes through here, so that it can be cut.
      const reader = response.body.getReader();
      const stream = { cut: undefined };
      const body = new ReadableStream({
        start: (controller) => {
          stream.cut = () => {
            streams.delete(stream);
            reader.cancel().catch(() => {});
            controller.error(new TypeError('the network is gone'));
          };
        },
        pull: async (controller) => {
          const { done, value } = await reader.read();
          if (!streams.has(stream)) return;
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => reader.cancel(),
      });
      streams.add(stream);
      client.opened += 1;
      return new Response(body, { status: response.status, headers: response.headers });
    },
    ...options,
  });
  client.opened = 0;
  client.cut = () => [...streams].forEach((stream) => stream.cut());
  clients.push(client);
  return client;
}

function listen(client, query, variables) {
  const listener = new Listener();
  listener.stop = client.subscribe({ query, variables }, listener.sink);
  return listener;
}

for (const [mode, single] of [['distinct connections', false], ['a single connection', true]]) {
  describe(mode, { concurrency: 4 }, () => {
    test('what another user changes over HTTP is told once, in order and in full', async () => {
      const workspace = await Workspace.create();
      const margin = await workspace.bindMargin();
      const client = connect(workspace.risk, single);
      const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
      const drift = listen(
        client,
        `subscription($workspace: UUID!, $after: String) {
          driftChanged(workspaceId: $workspace, after: $after) { kind driftItem { severity currentValue variable { id } } }
        }`,
        variables,
      );
      const clauses = listen(client, CLAUSES, variables);
      await workspace.edit(margin, '375 bps');
      const added = await workspace.addClauses(...Array.from({ length: 12 }, (_, n) => `2.${n} Term`));
      assert.deepEqual(await drift.exactly(1), [
        { data: { driftChanged: { kind: 'CREATED', driftItem: { severity: 'HIGH', currentValue: '375 bps', variable: { id: margin.id } } } } },
      ]);
      assert.deepEqual(titles(await clauses.exactly(added.length)), added);
      assert.equal(client.opened, single ? 1 : 2);
    });

    test('queries and mutations are answered', async () => {
      const workspace = await Workspace.create();
      const client = connect(workspace.agent, single);
      await answersOperations(listen, client, workspace);
    });

    test('what cannot be subscribed to is refused with its code', async () => {
      const workspace = await Workspace.create();
      const client = connect(await cfo(), single);
      const refused = async (query, variables) => {
        const listener = listen(client, query, variables);
        assert.equal(await listener.end(), undefined);
        assert.equal(listener.messages.length, 1, JSON.stringify(listener.messages));
        return codes(listener.messages[0].errors);
      };
      const drift = 'subscription($workspace: UUID!) { driftChanged(workspaceId: $workspace) { kind } }';
      assert.deepEqual(await refused(drift, { workspace: workspace.id }), ['NOT_FOUND']);
      assert.deepEqual(await refused('subscription { dealChanged { colour } }'), ['GRAPHQL_VALIDATION_FAILED']);
      assert.deepEqual(await refused('{ deals { colour } }'), ['GRAPHQL_VALIDATION_FAILED']);
    });

    test('a client that reconnects by itself resumes by variables that move along', async () => {
      const workspace = await Workspace.create();
      const client = connect(workspace.risk, single);
      // The client sends this very object again when it reconnects.
      const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
      const listener = listen(client, CLAUSES, variables);
      listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
      const added = [];
      for (let round = 0; round < 5; round += 1) {
        // From the second round on they are added while the client is on its way back.
        added.push(...(await workspace.addClauses(...Array.from({ length: 4 }, (_, n) => `${round}.${n}`))));
        await listener.atLeast(added.length);
        // Cut while it waits: graphql-sse 2.6.1 reconnects after no other error (`waiting` in its `connect`), and ends with one that
        // comes while it hands out messages.
        await new Promise((resolve) => setTimeout(resolve, 50));
        client.cut();
      }
      await until('the last connection', () => client.opened === 6 || listener.ended);
      assert.deepEqual(titles(await listener.exactly(added.length)), added);
      assert.equal(client.opened, 6);
    });

    test('a client that asks for a token whenever it connects goes on when one has expired', async () => {
      const workspace = await Workspace.create();
      let asked = 0;
      const headers = () => ({ authorization: `Bearer ${(asked += 1) === 1 ? workspace.risk.shortened(2) : workspace.risk.token}` });
      const client = connect(workspace.risk, single, { headers });
      const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
      const listener = listen(client, CLAUSES, variables);
      listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
      const added = await workspace.addClauses('before');
      await until('another connection', () => client.opened === 2);
      added.push(...(await workspace.addClauses('after')));
      assert.deepEqual(titles(await listener.exactly(2)), added);
    });

    test('who is removed from a workspace hears no more of it', async () => {
      const workspace = await Workspace.create();
      const client = connect(workspace.risk, single);
      const listener = listen(client, CLAUSES, { workspace: workspace.id, after: await workspace.risk.cursor() });
      const added = await workspace.addClauses('as a member');
      await listener.atLeast(1);
      await workspace.removeRisk();
      await workspace.addClauses('secret');
      assert.equal(await listener.end(), undefined);
      const [told, refused, ...more] = listener.messages;
      assert.deepEqual(titles([told]), added);
      assert.deepEqual(codes(refused.errors), ['NOT_FOUND']);
      assert.deepEqual(more, []);
    });

    test('what a subscription that was stopped still had to say is not said', async () => {
      const workspace = await Workspace.create();
      const client = connect(workspace.risk, single);
      const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
      const [stopped, kept] = [listen(client, CLAUSES, variables), listen(client, CLAUSES, variables)];
      await workspace.addClauses('1');
      await Promise.all([stopped.atLeast(1), kept.atLeast(1)]);
      stopped.stop();
      assert.equal(await stopped.end(), undefined);
      await workspace.addClauses('2');
      assert.deepEqual(titles(await kept.exactly(2)), ['1', '2']);
      assert.deepEqual(titles(stopped.messages), ['1']);
    });

    test('a token that is not good is refused', async () => {
      const headers = { authorization: 'Bearer x' };
      const listener = listen(connect(undefined, single, { headers, retryAttempts: 0 }), '{ eventCursor }');
      assert.equal((await listener.end()).response.status, 401);
    });
  });
}

test('a single connection that is not lazy is there at once, stays, and comes back', async () => {
  const workspace = await Workspace.create();
  const client = connect(workspace.risk, true, { lazy: false });
  await until('a connection', () => client.opened === 1);
  assert.equal(await listen(client, '{ eventCursor }').end(), undefined);
  assert.equal(client.opened, 1);
  // The client takes the end of a stream on which nothing is open for no reason to come back.
  const variables = { workspace: workspace.id, after: await workspace.risk.cursor() };
  const listener = listen(client, CLAUSES, variables);
  listener.heard = ({ data }) => (variables.after = data.clauseChanged.cursor);
  const added = await workspace.addClauses('1');
  await listener.atLeast(1);
  client.cut();
  await until('another connection', () => client.opened === 2);
  added.push(...(await workspace.addClauses('2')));
  assert.deepEqual(titles(await listener.exactly(2)), added);
  assert.equal(client.opened, 2);
});

test('a single connection has one stream and takes each operation under a name of its own', async (t) => {
  const { authorization } = await cfo();
  const told = new AbortController();
  t.after(() => told.abort());
  const ask = (method, more = {}) => fetch(URL_SSE, { method, ...more, headers: { authorization, ...more.headers } });
  const token = { 'x-graphql-event-stream-token': await (await ask('PUT')).text() };
  const stream = await ask('GET', { headers: token, signal: told.signal });
  assert.equal(stream.status, 200);
  assert.equal((await ask('GET', { headers: token })).status, 409);
  const operation = (operationId) =>
    ask('POST', {
      headers: { ...token, 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'subscription { dealChanged { kind } }', extensions: { operationId } }),
    });
  assert.equal((await operation('a')).status, 202);
  assert.equal((await operation('a')).status, 409);
  assert.equal((await operation('b')).status, 202);
  assert.equal((await operation()).status, 400);
  assert.equal((await fetch(`${URL_SSE}?operationId=a`, { method: 'DELETE', headers: { authorization, ...token } })).status, 200);
});

test('Last-Event-ID resumes behind it, and counts more than after', async () => {
  const workspace = await Workspace.create();
  const authorization = workspace.risk.authorization;
  const cursor = await workspace.risk.cursor();
  const added = await workspace.addClauses('1', '2', '3', '4');

  /** The first events of a stream: the id and the title of each. */
  const events = async (count, request, headers = {}) => {
    const control = new AbortController();
    const response = await fetch(request.url ?? URL_SSE, {
      ...request,
      headers: { authorization, accept: 'text/event-stream', ...request.headers, ...headers },
      signal: control.signal,
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const [found, decoder] = [[], new TextDecoder()];
    let text = '';
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s)));
        if (fields.event) found.push({ id: fields.id, title: titles([JSON.parse(fields.data)])[0] });
      }
      if (found.length >= count) break;
    }
    control.abort();
    return found;
  };
  const variables = { workspace: workspace.id, after: cursor };
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: CLAUSES, variables }) };
  const all = await events(4, post);
  assert.deepEqual(all.map(({ title }) => title), added);
  assert.deepEqual(await events(2, post, { 'last-event-id': all[1].id }), all.slice(2));
  // As EventSource does it, which can only GET.
  const url = `${URL_SSE}?${new URLSearchParams({ query: CLAUSES, variables: JSON.stringify(variables) })}`;
  assert.deepEqual(await events(1, { url }, { 'last-event-id': all[2].id }), all.slice(3));

  const refused = await fetch(URL_SSE, { ...post, headers: { ...post.headers, authorization, 'last-event-id': 'x' } });
  assert.equal(refused.status, 400);
});

test('a stream begins before there is anything to tell', { timeout: 10_000 }, async (t) => {
  const { authorization } = await cfo();
  const control = new AbortController();
  t.after(() => control.abort());
  const query = 'subscription { dealChanged { kind } }';
  const response = await fetch(`${URL_SSE}?${new URLSearchParams({ query })}`, { headers: { authorization }, signal: control.signal });
  const { value } = await response.body.getReader().read();
  // Some browsers hold a stream to be open only when its first byte is there.
  assert.equal(new TextDecoder().decode(value).trim(), ':');
});
