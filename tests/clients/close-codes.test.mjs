// Every code with which the protocol graphql-transport-ws closes a socket, provoked through the published client.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { CloseCode, createClient, stringifyMessage } from 'graphql-ws';
import WebSocket from 'ws';

import { Listener, URL_WS, cfo } from './support.mjs';

const user = await cfo();

/** The code with which the gateway closes the connection of a client with these options. */
async function closed(options, then = () => {}) {
  const listener = new Listener();
  const client = createClient({
    url: URL_WS,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: user.authorization },
    retryAttempts: 0,
    ...options,
  });
  const query = 'subscription { dealChanged { kind } }';
  client.subscribe({ query }, listener.sink);
  then(client);
  const { code, reason } = await listener.end().finally(() => client.dispose());
  assert.ok(reason.length > 0, `${code} without a reason`);
  return code;
}

const acknowledged = (say) => ({ on: { connected: (socket) => socket.send(say) } });

test('4400: what is no message of the protocol', async () => {
  assert.equal(await closed(acknowledged('{"type":"start","id":"1"}')), CloseCode.BadRequest);
  assert.equal(await closed(acknowledged('{"type":"subscribe"}')), CloseCode.BadRequest);
  assert.equal(await closed(acknowledged('{"type":"subscribe","id":"","payload":{"query":"{ eventCursor }"}}')), CloseCode.BadRequest);
  assert.equal(await closed(acknowledged('{"type":"subscribe","id":"1","payload":{}}')), CloseCode.BadRequest);
  assert.equal(await closed(acknowledged('hello')), CloseCode.BadRequest);
});

test('4401: an operation before the connection is acknowledged', async () => {
  const message = stringifyMessage({ type: 'subscribe', id: '1', payload: { query: '{ eventCursor }' } });
  assert.equal(await closed({ on: { opened: (socket) => socket.send(message) } }), CloseCode.Unauthorized);
});

test('4403: a token that is not good', async () => {
  assert.equal(await closed({ connectionParams: { authorization: 'Bearer x' } }), CloseCode.Forbidden);
  assert.equal(await closed({ connectionParams: { authorization: user.token } }), CloseCode.Forbidden);
  assert.equal(await closed({ connectionParams: { authorization: `Bearer ${user.shortened(-1)}` } }), CloseCode.Forbidden);
});

test('4406: no subprotocol that the gateway speaks', async () => {
  // The client asks for the right one always; this is what any other meets.
  const [code] = await once(new WebSocket(URL_WS), 'close');
  assert.equal(code, CloseCode.SubprotocolNotAcceptable);
});

test('4408: nobody says who is there', async () => {
  assert.equal(await closed({ connectionParams: () => new Promise(() => {}) }), CloseCode.ConnectionInitialisationTimeout);
});

test('4409: an operation of the name of another', async () => {
  const twice = (client) => client.subscribe({ query: 'subscription { budgetChanged { kind } }' }, new Listener().sink);
  assert.equal(await closed({ generateID: () => 'the same' }, twice), CloseCode.SubscriberAlreadyExists);
});

test('4429: a connection that is initialised twice', async () => {
  const message = stringifyMessage({ type: 'connection_init' });
  assert.equal(await closed(acknowledged(message)), CloseCode.TooManyInitialisationRequests);
});
