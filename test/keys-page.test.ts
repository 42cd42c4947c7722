/** Every command of docs/keys.md, and the config that it prints. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { gateway, type RunningGateway } from './support/gateway.ts';

const PAGE = readFileSync('docs/keys.md', 'utf8');
const COMMANDS = [...PAGE.matchAll(/^\$ (expert-router .*)$/gm)].map(([, line]) => line!);
const BIN = `node ${resolve('bin', 'expert-router.js')}`;
const home = mkdtempSync(join(tmpdir(), 'keys-page-'));
const untried = new Set(COMMANDS);

function run(line: string): string {
  untried.delete(line);
  const written = line.replace('expert-router', BIN);
  const { status, stdout, stderr } = spawnSync('bash', ['-c', written], { cwd: home, encoding: 'utf8' });
  expect({ line, status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}
const printed = (start: string): string =>
  COMMANDS.find((line) => line.startsWith(`expert-router ${start}`))!;

describe('docs/keys.md', () => {
  let router: RunningGateway;
  let secret = '';
  beforeAll(async () => {
    const made = run(printed('key alice --team'));
    secret = /er-\S+/.exec(made)![0];
    const [, yaml] = /```yaml\n(keys:[\s\S]*?)```/.exec(PAGE)!;
    const [hash] = /sha256:[0-9a-f]{64}/.exec(made)!;
    // No Redis is needed for a test of the page, and its date is to come for as long as this test lives.
    const config = yaml!
      .replace(/sha256:0+/, hash)
      .replace(/^limits: .*$/m, '')
      .replace(/expires: \S+/, 'expires: 2999-01-31');
    const [, price] = /`price: (\{ input[^`]*\})`/.exec(PAGE)!;
    const experts = ['code', 'maths', 'prose'].map(
      (id) => `  - { id: ${id}, kind: emulated, price: ${price} }\n`,
    );
    router = await gateway(
      `audit: { dir: '${join(home, 'audit')}' }\nexperts:\n${experts.join('')}${config}`,
    );
  });
  afterAll(async () => {
    await router?.close();
    rmSync(home, { recursive: true });
  });

  it('makes a key whose limits hold, and says what it used', async () => {
    const ask = (model: string) =>
      router.post(
        '/v1/chat/completions',
        { model, max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] },
        { authorization: `Bearer ${secret}` },
      );
    const answer = await ask('code');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('60');
    expect(answer.headers.get('x-ratelimit-limit-tokens')).toBe('100000');
    await answer.text();
    expect((await ask('prose')).status).toBe(403);
    await expect.poll(() => run(printed('usage ./audit')), { timeout: 30_000 }).toMatch(/^alice +2 +1 /m);
    const byExpert = printed('usage ./audit --by expert');
    expect(run(byExpert)).toMatch(/^expert +requests/);
    expect(run(byExpert.replace(/ --since \S+/, ''))).toMatch(/^code +1 /m);
    run(printed('usage ./audit --by day'));
    expect(readFileSync(join(home, 'days.csv'), 'utf8')).toMatch(/^day,requests,errors/);
  });

  it('replaces its secret as it says', () => {
    const [, rotate] = /`(expert-router key alice --rotate)`/.exec(PAGE)!;
    expect(run(rotate!)).toMatch(/next_hash: ['"]?sha256:[0-9a-f]{64}/);
  });

  it('prices GPUs in a form that a config takes', () => {
    const [, yaml] = /```yaml\n(price: [\s\S]*?)```/.exec(PAGE)!;
    expect(parse(yaml!)).toEqual({ price: { per_gpu_hour: 2.5, gpus: 4 } });
  });

  it('has no command that was not run', () => {
    expect([...untried]).toEqual([]);
  });
});
