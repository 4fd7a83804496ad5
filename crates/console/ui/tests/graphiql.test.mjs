import assert from 'node:assert/strict';
import { test } from 'node:test';
import { picture, signIn, stage } from './browser.mjs';
import { AGENT, CFO, Term } from './gateway.mjs';

const on = stage();

/** Opens GraphiQL with this operation, by a link as somebody would share it. */
async function openWith(query, email, variables) {
  const link = `/graphiql#query=${encodeURIComponent(query)}${variables ? `&variables=${encodeURIComponent(JSON.stringify(variables))}` : ''}`;
  const page = await on.browser.open(on.gateway, link);
  await signIn(page, email);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor({ timeout: 30_000 });
  return page;
}

const run = (page) => page.getByRole('button', { name: /Execute query/i }).click();

/** What the answer's editor says, which draws the lines that are in sight only. */
const answers = async (page, text) => {
  await page.waitForFunction(
    (text) => document.querySelector('.graphiql-response')?.innerText.replaceAll('\u00a0', ' ').includes(text),
    text,
    { timeout: 15_000 },
  );
};

test('the deep query that is offered first runs and is answered', async () => {
  const page = await on.browser.open(on.gateway, '/graphiql');
  await signIn(page, AGENT);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor({ timeout: 30_000 });
  const answered = page.waitForResponse(
    async (response) => response.request().postData()?.includes('query Facility') && response.ok(),
  );
  await run(page);
  const { data, errors } = await (await answered).json();
  assert.equal(errors, undefined);
  const { graphState, clauses } = data.workspaces.nodes[0];
  const [node] = clauses.nodes[0].variables.nodes[0].graphNodes.nodes;
  assert.equal(node.hasDrift, true);
  // The editor draws the lines that are in sight.
  await answers(page, `"integrityScore": "${graphState.integrityScore}"`);
  await picture(page, 'graphiql');
  assert.deepEqual(page.faults, []);
});

test('the schema is explored with its descriptions', async () => {
  const page = await openWith('{ me { user { name } } }', CFO);
  await page.getByRole('button', { name: /Documentation Explorer/i }).click();
  await page
    .getByRole('link', { name: 'Query', exact: true })
    .or(page.locator('.graphiql-doc-explorer a', { hasText: /^Query$/ }))
    .first()
    .click();
  await page.getByText('financialMetrics', { exact: true }).first().waitFor();
  await run(page);
  await answers(page, 'Sarah Chen');
  assert.deepEqual(page.faults, []);
});

test('a subscription shows what another user changes', async () => {
  const term = await Term.bind(on.gateway, 'Spread of test');
  const { eventCursor } = await term.drafter('{ eventCursor }');
  const query =
    'subscription($w: UUID!, $after: String) { driftChanged(workspaceId: $w, after: $after) { kind driftItem { title currentValue } } }';
  const page = await openWith(query, AGENT, { w: term.workspace.id, after: eventCursor });
  await run(page);
  await page.getByRole('button', { name: /Stop query/i }).waitFor();
  await term.edit('5.25%');
  await answers(page, '5.25%');
  await picture(page, 'graphiql-subscription');
  assert.deepEqual(page.faults, []);
});

test('another role asks as somebody else from the next operation on', async () => {
  const page = await openWith('{ me { user { email } } }', CFO);
  await run(page);
  await answers(page, CFO);
  await page.getByLabel('Become another demo user').selectOption(AGENT);
  await page.locator('.who', { hasText: 'Northgate' }).first().waitFor();
  await run(page);
  await answers(page, AGENT);
  assert.deepEqual(page.faults, []);
});

/** The operation that is offered first to each demo account. */
const FIRST = {
  'sarah.chen@aether-demo.com': 'KeyFigures',
  'finance.manager@aether-demo.com': 'KeyFigures',
  'analyst@aether-demo.com': 'KeyFigures',
  'europe.analyst@aether-demo.com': 'KeyFigures',
  'engineering.analyst@aether-demo.com': 'KeyFigures',
  'viewer@aether-demo.com': 'KeyFigures',
  'admin@aether-demo.com': 'AuditTrail',
  'agent@northgate-bank.example': 'Facility',
  'legal@harrow-and-lane.example': 'Facility',
  'risk@northgate-bank.example': 'Facility',
  'investor@castlebrook-investors.example': 'Facility',
};

test('everybody is offered examples that fit, and each of them runs', async () => {
  const { demo } = await (await fetch(`${on.gateway.url}/console.json`)).json();
  assert.deepEqual(demo.accounts.map(({ email }) => email).sort(), Object.keys(FIRST).sort());
  const named = /^(query|mutation|subscription) (\w+)/m;
  for (const { email, organization } of demo.accounts) {
    const page = await on.browser.open(on.gateway, '/graphiql');
    await signIn(page, email);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor({ timeout: 30_000 });
    await page.waitForFunction(() => localStorage.getItem('graphiql:tabState'));
    const { tabs } = JSON.parse(await page.evaluate(() => localStorage.getItem('graphiql:tabState')));
    const names = tabs.map(({ query }) => named.exec(query)[2]);
    assert.equal(names[0], FIRST[email], email);
    const menu = page.locator('.menu');
    await menu.locator('li').first().waitFor({ state: 'attached' });
    assert.equal(await menu.locator('li').count(), tabs.length, email);
    const send = await on.gateway.as(email, organization);
    for (const { query, variables } of tabs) {
      const [, kind, name] = named.exec(query);
      // What is told live is told by another test.
      if (kind === 'subscription') continue;
      const text = query.slice(0, query.indexOf('\n}\n', query.indexOf(`${kind} ${name}`)) + 3);
      const data = await send(text, variables ? JSON.parse(variables) : {}).catch((error) => {
        throw new Error(`${name} as ${email}: ${error.message}`);
      });
      assert.ok(
        Object.values(data).every((value) => value !== null),
        `${name} as ${email}: ${JSON.stringify(data)}`,
      );
    }
    console.log(`${email}: ${names.join(', ')}`);
    assert.deepEqual(page.faults, []);
    await on.browser.leave();
  }
});

test('an example is opened in a tab of its own, for whoever one has become', async () => {
  const page = await openWith('{ me { user { email } } }', CFO);
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Budget consumption' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('Become another demo user').selectOption(AGENT);
  await page.locator('.who', { hasText: 'Northgate' }).first().waitFor();
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Drift totals' }).click();
  await page.locator('.graphiql-query-editor', { hasText: 'DriftTotals' }).waitFor();
  await run(page);
  await answers(page, '"totalCount"');
  await picture(page, 'graphiql-example');
  assert.deepEqual(page.faults, []);
});
