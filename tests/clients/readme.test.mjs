// The program in the README, run as it stands there, for longer than its access tokens last.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { URL_HTTP, User, Workspace, anotherRisk, until } from './support.mjs';

/** How long access tokens last in this test, in seconds. */
const SECONDS = 6;

const cleanUp = [];
after(async () => {
  for (const clean of cleanUp.reverse()) await clean();
});

/** The program, as a file that finds the packages of this folder. */
async function program() {
  const readme = await readFile(process.env.AETHER_README ?? new URL('../../README.md', import.meta.url), 'utf8');
  const [, text] = readme.match(/```js\n(.*?)```/s);
  const file = fileURLToPath(new URL(`readme-${process.pid}.mjs`, import.meta.url));
  await writeFile(file, text);
  cleanUp.push(() => rm(file));
  return file;
}

/** The gateway, but that it gives access tokens that last only so long; with what it was asked. */
async function impatientGateway() {
  const seen = { refreshes: 0, sockets: [] };
  const gateway = new URL(URL_HTTP);
  const to = { host: gateway.hostname, port: gateway.port };
  const server = createServer((asked, answer) => {
    const headers = { ...asked.headers, 'accept-encoding': 'identity' };
    const passed = request({ ...to, path: asked.url, method: asked.method, headers }, async (told) => {
      const body = JSON.parse(Buffer.concat(await told.toArray()));
      if (body.data?.refresh) {
        seen.refreshes += 1;
        body.data.refresh.accessToken = new User(body.data.refresh).shortened(SECONDS);
        body.data.refresh.expiresIn = SECONDS;
      }
      answer.writeHead(told.statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    asked.pipe(passed);
  });
  // A WebSocket is passed on as it is.
  server.on('upgrade', (asked, socket, head) => {
    seen.sockets.push(socket);
    const passed = connect(to.port, to.host, () => {
      const headers = asked.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join('');
      passed.write(`GET ${asked.url} HTTP/1.1\r\n${headers}\r\n`);
      passed.write(head);
      socket.pipe(passed).pipe(socket);
    });
    socket.on('error', () => passed.destroy());
    socket.on('close', () => passed.destroy());
    passed.on('error', () => socket.destroy());
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  cleanUp.push(() => {
    seen.sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

test('the program of the README hears of changes for longer than a token lasts, over one connection', async () => {
  const workspace = await Workspace.create();
  const margin = await workspace.bindMargin();
  // A session of its own: its refresh token is the program's alone.
  const risk = await anotherRisk();
  const { url, seen } = await impatientGateway();
  const env = { ...process.env, GATEWAY: url, REFRESH_TOKEN: risk.refreshToken, WORKSPACE: workspace.id, AFTER: await workspace.risk.cursor() };
  const running = spawn(process.execPath, [await program()], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  cleanUp.push(() => running.kill());
  const [told, wrong] = [[], []];
  createInterface({ input: running.stdout }).on('line', (line) => told.push(JSON.parse(line)));
  createInterface({ input: running.stderr }).on('line', (line) => wrong.push(line));

  let edited = await workspace.edit(margin, '375 bps');
  await until('the first change', () => told.length === 1);
  const first = Date.now();
  // Beyond the time of two tokens.
  await sleep(SECONDS * 2_500);
  edited = await workspace.edit(edited, '380 bps');
  await until('a change after the token has expired', () => told.length === 2);
  assert.ok(Date.now() - first > SECONDS * 2_000);
  assert.equal(seen.sockets.length, 1, 'the connection was never closed');
  assert.ok(seen.refreshes >= 4, `${seen.refreshes} exchanges`);

  // And it comes back by itself when the connection breaks.
  seen.sockets[0].destroy();
  await workspace.edit(edited, '385 bps');
  await until('a change after a reconnection', () => told.length === 3);
  assert.equal(seen.sockets.length, 2);
  assert.deepEqual(told.map(({ driftItem }) => driftItem.currentValue), ['375 bps', '380 bps', '385 bps']);
  assert.deepEqual(wrong, []);
  assert.equal(running.exitCode, null, 'it goes on');
});
