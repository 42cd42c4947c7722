/** Several processes on one port: limits hold over all of them, a dead one is replaced, and the end is orderly. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const LIMIT = 3;
let expert: Upstream;
let router: RouterProcess;
let running = 0;
let most = 0;

afterEach(async () => {
  await router.stop();
  await expert.close();
});

async function start(answerAfterMs: number): Promise<void> {
  running = 0;
  most = 0;
  expert = await upstream(async (response, request) => {
    if (request.method === 'GET') return polite(response, request);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
    running -= 1;
    await polite(response, request);
  });
  const config = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(
    config,
    `experts: [{ id: one, kind: openai, url: '${expert.url}', max_concurrent: ${LIMIT} }]\n`,
  );
  router = await routerProcess(['--config', config, '--workers', '3']);
}

const ask = () =>
  fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
  });
const workers = () =>
  readFileSync(`/proc/${router.process.pid}/task/${router.process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
const metric = async (line: string) => {
  const page = await (await fetch(`${router.url}/metrics`)).text();
  return Number(
    page
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length),
  );
};

describe('workers', () => {
  it('invariant 8: together admit at most the limit, and use all of it; metrics are those of all', async () => {
    await start(50);
    const answers = await Promise.all(Array.from({ length: 30 }, ask));
    expect(answers.map((one) => one.status)).toEqual(answers.map(() => 200));
    expect(most).toBe(LIMIT);
    expect(
      (await metric('expert_router_requests_total{expert="one",reason="nearest-cluster",outcome="ok"}')) ||
        (await metric('expert_router_requests_total{expert="one",reason="outside",outcome="ok"}')),
    ).toBe(30);
    await eventually(
      'nothing is in flight',
      async () => (await metric('expert_router_inflight{expert="one"}')) === 0,
    );
  });

  it.skipIf(process.platform !== 'linux')('are replaced when they die, and the reason is said', async () => {
    await start(0);
    const [victim] = workers();
    process.kill(victim!, 'SIGKILL');
    await eventually('another took its place', () => workers().length === 3 && !workers().includes(victim!));
    expect(router.output()).toContain(`Worker ${victim} ended (SIGKILL)`);
    await eventually('it serves', async () => (await ask()).status === 200);
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    expect(answers.map((one) => one.status)).toEqual(answers.map(() => 200));
  });

  it('finish what they answer when asked to end', async () => {
    await start(400);
    const asked = ask();
    await eventually('it reaches the expert', () => running === 1);
    const ended = router.stop();
    expect((await asked).status).toBe(200);
    expect(await ended).toBe(0);
  });
});
