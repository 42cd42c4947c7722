/** A running router watched from the terminal: `top`, `why`, and its log in JSON. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from './support/command.ts';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

let router: RouterProcess;
let trace = '';

beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(
    config,
    'experts: [{ id: code, kind: emulated }, { id: broken, kind: emulated, misbehaviour: "503" }]',
  );
  router = await routerProcess(['--config', config, '--workers', '2', '--verbose', '--log-format', 'json']);
  const ask = (model: string) =>
    fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { connection: 'close' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'secretword' }] }),
    });
  for (let i = 0; i < 4; i++) {
    const response = await ask('code');
    await response.arrayBuffer();
    trace = response.headers.get('x-expert-router-trace-id')!;
  }
  await (await ask('broken')).arrayBuffer();
});
afterAll(() => router.stop());

async function output(...args: readonly string[]): Promise<{ text: string; code: number | null }> {
  const run = command(...args, '--url', router.url);
  const code = await run.ended;
  return { text: run.output(), code };
}

describe('top', () => {
  it('shows every expert and what the last minute was like', async () => {
    await eventually('the last second is over', async () => {
      const { text, code } = await output('top', '--once');
      expect(code).toBe(0);
      expect(text).toMatch(/^EXPERT +STATE +IN FLIGHT/m);
      return /^code +ok +0 +0 +80 %/m.test(text) && /^broken .* 100 %$/m.test(text);
    });
  });
});

describe('why', () => {
  it('tells the story of a request', async () => {
    const { text, code } = await output('why', trace);
    expect(code).toBe(0);
    expect(text).toMatch(/^It came at .* to \/v1\/chat\/completions\.$/m);
    expect(text).toContain('The request names code as its model.');
    expect(text).toMatch(/^The answer was complete after/m);
    expect(text).not.toContain('secretword');
  });

  it('says what it does not know', async () => {
    expect(await output('why', 'f'.repeat(32))).toMatchObject({ code: 1 });
    expect((await output('why', 'f'.repeat(32))).text).toContain('No request of the trace');
    expect(await output('why', 'nonsense')).toMatchObject({ code: 2 });
  });
});

it('logs an object a line', async () => {
  const lines = router
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const requests = lines.filter(({ message }) => message === 'request');
  expect(requests.find((one) => one.trace === trace)).toMatchObject({
    level: 'info',
    expert: 'code',
    status: 200,
  });
  expect(requests.find(({ expert }) => expert === 'broken')).toMatchObject({ level: 'error' });
  for (const line of lines) expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT/);
});
