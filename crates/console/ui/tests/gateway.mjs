// A gateway as a program: started, stopped and started again on the same port, with demo data of its own.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the gateway may take to make its database and load the demo data, milliseconds. */
const PATIENCE = 240_000;
const PROGRAM = process.env.AETHER_NEXUS;
if (!PROGRAM)
  throw new Error('AETHER_NEXUS names the program to test: cargo test -p aether-server --test browser sets it.');

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const hasEnded = ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null;

export class Gateway {
  static async start() {
    const gateway = new Gateway();
    gateway.folder = await mkdtemp(join(tmpdir(), 'aether-browser-'));
    // As root, the database server runs as another user.
    await chmod(gateway.folder, 0o755);
    gateway.port = await freePort();
    gateway.url = `http://127.0.0.1:${gateway.port}`;
    await gateway.up();
    return gateway;
  }

  async up() {
    const started = spawn(PROGRAM, ['--listen', `127.0.0.1:${this.port}`, '--data-dir', join(this.folder, 'data')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    started.stderr.on('data', (data) => (said = (said + data).slice(-4000)));
    this.process = started;
    const until = Date.now() + PATIENCE;
    while (Date.now() < until) {
      if (hasEnded(started))
        throw new Error(`the gateway ended with ${started.exitCode ?? started.signalCode}:\n${said}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      await sleep(50);
    }
    throw new Error(`the gateway does not answer:\n${said}`);
  }

  async down() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
  }

  async end() {
    if (!hasEnded(this.process)) await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  async send(query, variables, token) {
    const answer = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await answer.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** A function that sends as this user. */
  async as(email, organization) {
    const login =
      'mutation($email: String!, $organization: String!) { login(email: $email, password: "aether-demo", organization: $organization) { accessToken } }';
    const {
      login: { accessToken },
    } = await this.send(login, { email, organization });
    return (query, variables) => this.send(query, variables, accessToken);
  }
}

export const AGENT = 'agent@northgate-bank.example';
export const RISK = 'risk@northgate-bank.example';
export const CFO = 'sarah.chen@aether-demo.com';
export const VIEWER = 'viewer@aether-demo.com';

/** A term that another agent than the one at the browser drafts, in a workspace of both and of risk. */
export class Term {
  static async bind(gateway, label) {
    const term = new Term();
    term.gateway = gateway;
    term.label = label;
    await term.signIn();
    const mine = '{ workspaces(first: 50, orderBy: [{ field: NAME }]) { nodes { id name } } }';
    const { workspaces } = await term.drafter(mine);
    for (const member of [AGENT, RISK]) {
      const theirs = await (await gateway.as(member, 'northgate-bank'))(mine);
      workspaces.nodes = workspaces.nodes.filter(({ id }) => theirs.workspaces.nodes.some((one) => one.id === id));
    }
    term.workspace = workspaces.nodes[0];
    const { addClause } = await term.drafter(
      'mutation($w: UUID!, $title: String!) { addClause(workspaceId: $w, input: { title: $title, body: "The rate is as agreed.", type: FINANCIAL }) { id } }',
      { w: term.workspace.id, title: `${label} clause` },
    );
    const { bindVariable } = await term.drafter(
      'mutation($c: UUID!, $label: String!) { bindVariable(clauseId: $c, input: { label: $label, type: FINANCIAL, value: "3.00%", baselineValue: "3.00%" }) { id } }',
      { c: addClause.id, label },
    );
    term.id = bindVariable.id;
    return term;
  }

  async signIn() {
    this.drafter = await this.gateway.as('agent2@northgate-bank.example', 'northgate-bank');
  }

  async edit(value) {
    const { variable } = await this.drafter('query($id: UUID!) { variable(id: $id) { rowVersion } }', { id: this.id });
    await this.drafter(
      'mutation($id: UUID!, $v: Int!, $value: String!) { editVariable(id: $id, expectedVersion: $v, input: { value: $value }, reason: "Markup of the borrower") { id } }',
      { id: this.id, v: variable.rowVersion, value },
    );
  }
}
