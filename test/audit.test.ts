/** The audit log and what `expert-router usage` makes of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { usageCommand } from '../src/cli/usage.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway } from './support/gateway.ts';

const dir = mkdtempSync(join(tmpdir(), 'audit-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

const config = (names: readonly string[]) =>
  `experts: [{ id: one, kind: emulated }]\naudit: { dir: '${dir}' }\nkeys:\n${names
    .map((name) => `  - { name: ${JSON.stringify(name)}, hash: '${hashKey(name)}' }\n`)
    .join('')}`;

function entries(): Record<string, unknown>[] {
  return readdirSync(dir).flatMap((name) =>
    readFileSync(join(dir, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

async function usage(...flags: string[]): Promise<string> {
  const said: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
  await usageCommand().parseAsync([dir, ...flags], { from: 'user' });
  return said.join('\n');
}

it('says who called and which keys changed, no word of what was asked, and adds it up', async () => {
  const hostile = '=\u001b[2J,"x"';
  const router = await gateway(config(['alice', hostile]));
  const ask = (name: string) =>
    router.post(
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: 'my secret question' }] },
      { authorization: `Bearer ${name}` },
    );
  await (await ask('alice')).text();
  await (await ask('nobody')).text();
  await router.post(
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'x' }] },
    {
      'x-api-key': hostile.replace('\u001b', ''),
    },
  );
  await router.reload(config(['alice', 'bob']));
  await eventually('all are written', () => entries().length === 4);
  expect(entries()).toContainEqual(
    expect.objectContaining({ event: 'call', key: 'alice', expert: 'one', status: 200, usd: null }),
  );
  expect(entries()).toContainEqual(expect.objectContaining({ event: 'call', key: null, status: 401 }));
  expect(entries()).toContainEqual(
    expect.objectContaining({ event: 'config', added: ['bob'], removed: [hostile] }),
  );
  expect(JSON.stringify(entries())).not.toContain('secret question');
  await router.close();

  const byKey = JSON.parse(await usage('--json')) as Record<string, unknown>[];
  expect(byKey).toContainEqual(
    expect.objectContaining({ key: 'alice', requests: 1, errors: 0, unpriced: 1 }),
  );
  expect(await usage('--by', 'expert', '--csv')).toMatch(/^expert,requests,.*\n/);
});
