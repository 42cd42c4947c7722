/** A gateway that is killed in the middle of reservations, and two that want the same folder. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

let folder: string;
let config: string;
const routers: RouterProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killed-'));
  config = join(folder, 'experts.yaml');
  writeFileSync(
    config,
    `experts:
  - { id: slow, kind: emulated, tokens_per_second: 5, price: { input: 1, output: 1000 } }
  - { id: fast, kind: emulated, tokens_per_second: 5000, price: { input: 1, output: 1000 } }
limits: { dir: ./limits }
keys:
  - name: a
    hash: ${hashKey('secret')}
    limits: { concurrent: 2, requests_per_minute: 6, tokens_per_minute: 100000, usd_per_day: 1 }
`,
  );
});
afterEach(async () => {
  for (const one of routers.splice(0)) await one.stop();
  rmSync(folder, { recursive: true });
});

async function serve(): Promise<RouterProcess> {
  const router = await routerProcess(['--config', config]);
  routers.push(router);
  return router;
}
const ask = ({ url }: RouterProcess, model: string, stream = false, tokens = 50): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret' },
    body: JSON.stringify({
      model,
      stream,
      max_tokens: tokens,
      messages: [{ role: 'user', content: 'Count to a hundred.' }],
    }),
  });
const left = (answer: Response): number => Number(answer.headers.get('x-ratelimit-remaining-requests'));

describe('a gateway that is killed', () => {
  it('leaves nothing reserved, and forgets nothing that was counted', async () => {
    const first = await serve();
    const spent = await ask(first, 'fast');
    expect([spent.status, left(spent)]).toEqual([200, 5]);
    await spent.text();
    // Both streams hold a place, tokens and money when it ends.
    const open = await Promise.all([ask(first, 'slow', true), ask(first, 'slow', true)]);
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask(first, 'fast')).status).toBe(429);
    const gone = once(first.process, 'exit');
    first.process.kill('SIGKILL');
    await gone;
    await Promise.allSettled(open.map((one) => one.text()));

    const second = await serve();
    const again = await Promise.all([ask(second, 'slow', true), ask(second, 'slow', true)]);
    expect(again.map(({ status }) => status)).toEqual([200, 200]);
    // Three before and two now, less what a few seconds have given back.
    const least = Math.min(...again.map(left));
    expect(least).toBeGreaterThanOrEqual(1);
    expect(least).toBeLessThanOrEqual(2);
    await Promise.all(again.map((one) => one.body?.cancel()));
  });

  it('remembers what was spent of a budget', async () => {
    // Twenty tokens at a tenth of a cent each: the third such answer is one too many.
    writeFileSync(config, readFileSync(config, 'utf8').replace('usd_per_day: 1', 'usd_per_day: 0.05'));
    const first = await serve();
    for (let n = 0; n < 2; n++) {
      const answer = await ask(first, 'fast', false, 20);
      expect(await answer.json()).toMatchObject({ usage: { completion_tokens: 20 } });
    }
    const gone = once(first.process, 'exit');
    first.process.kill('SIGKILL');
    await gone;
    const refused = await ask(await serve(), 'fast', false, 20);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: 'insufficient_quota' } });
  });
});

it('two gateways on one folder: the second is refused, and says what to do', async () => {
  await serve();
  await expect(serve()).rejects.toThrow(
    /serve ended with [1-9](?:.|\n)*Another gateway keeps its limits in .*limits: give each a folder of its own, or all of them one Redis/,
  );
});

it('several workers without Redis are refused, and say what to do', async () => {
  await expect(routerProcess(['--config', config, '--workers', '2'])).rejects.toThrow(
    /--workers 2: the config limits keys without a Redis.*one process counts; set limits: \{ redis/,
  );
});
