/** Several processes on one port: limits hold over all of them, a dead one is replaced, and the end is orderly. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './support/gateway.ts';
import { childrenOf, type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const LIMIT = 3;
let expert: Upstream;
let router: RouterProcess;
let config = '';
let running = 0;
let most = 0;

afterEach(async () => {
  await router.stop();
  await expert.close();
});

const yaml = (limit: number, more = '') =>
  `experts: [{ id: one, kind: openai, url: '${expert.url}', max_concurrent: ${limit}${more} }]\n`;

/** @param answerAfter milliseconds, or what must happen first @param limit of the expert @param more of its options */
async function start(
  answerAfter: number | Promise<unknown>,
  { workers = 3, limit = LIMIT, more = '', onSpawn = (_child: ChildProcess): void => {} } = {},
): Promise<void> {
  running = 0;
  most = 0;
  expert = await upstream(async (response, request) => {
    if (request.method === 'GET') return polite(response, request);
    running += 1;
    most = Math.max(most, running);
    await (typeof answerAfter === 'number' ? pause(answerAfter) : answerAfter);
    running -= 1;
    await polite(response, request);
  });
  config = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(config, yaml(limit, more));
  router = await routerProcess(['--config', config, '--workers', String(workers)], {}, onSpawn);
}

const ask = () =>
  fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
  });
const workers = () => router.children();
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
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
    expect(await metric('expert_router_requests_total{expert="one",reason="balanced",outcome="ok"}')).toBe(
      30,
    );
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

  it.skipIf(process.platform !== 'linux')('may die before all are up', async () => {
    const killed: number[] = [];
    await start(0, {
      onSpawn: ({ pid }) => {
        const look = setInterval(() => {
          const [first] = childrenOf(pid!);
          if (first === undefined) return;
          clearInterval(look);
          process.kill(first, 'SIGKILL');
          killed.push(first);
        }, 5);
      },
    });
    expect(killed).toHaveLength(1);
    expect(router.output()).toContain(`Worker ${killed[0]} ended (SIGKILL)`);
    expect(workers()).toHaveLength(3);
    expect((await ask()).status).toBe(200);
  });

  it.skipIf(process.platform !== 'linux')(
    'are replaced when they hang; metrics are whole or an error meanwhile',
    async () => {
      await start(0, { workers: 2 });
      const [victim] = workers();
      process.kill(victim!, 'SIGSTOP');
      const pages = await Promise.all(
        Array.from({ length: 4 }, () =>
          fetch(`${router.url}/metrics`, { headers: { connection: 'close' } }).then(async (response) => ({
            status: response.status,
            text: await response.text(),
          })),
        ),
      );
      for (const { status, text } of pages) {
        if (status === 200) expect(text).toContain('expert_router_inflight{expert="one"}');
        else expect([status, JSON.parse(text).error.code]).toEqual([503, 'metrics_incomplete']);
      }
      await eventually('it is replaced', () => workers().length === 2 && !workers().includes(victim!));
      expect(router.output()).toContain(`Worker ${victim} hangs`);
      const answers = await Promise.all(Array.from({ length: 12 }, ask));
      expect(answers.map((one) => one.status)).toEqual(answers.map(() => 200));
    },
  );

  it.skipIf(process.platform !== 'linux')('drain when their primary has died', async () => {
    await start(1_500, { workers: 2 });
    const left = workers();
    const asked = ask();
    await eventually('it reaches the expert', () => running === 1);
    router.process.kill('SIGKILL');
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('I am one.')]);
    await eventually('the workers end', () => !left.some(isAlive));
  });

  it.each([1, 2])('stay draining when %i are told to reload', async (processes) => {
    await start(2_000, { workers: processes });
    const asked = ask();
    await eventually('it reaches the expert', () => running === 1);
    const ready = () => fetch(`${router.url}/ready`, { headers: { connection: 'close' } });
    const ended = router.stop();
    await eventually('it drains', async () => (await ready()).status === 503);
    writeFileSync(config, `heartbeat: 3s\n${yaml(LIMIT)}`);
    router.process.kill('SIGHUP');
    const states = new Set<unknown>();
    while (running === 1) {
      const answer = await ready().catch((error: unknown) => {
        if (running === 1) throw error; // the last may come when it has ended
        return null;
      });
      if (answer) states.add(((await answer.json()) as { ready: boolean }).ready);
    }
    expect(states).toEqual(new Set([false]));
    expect((await asked).status).toBe(200);
    expect(await ended).toBe(0);
    expect(router.output()).not.toContain('Reloaded');
  });

  it.each([1, 3])('%i that end take no request without an answer', async (processes) => {
    await start(300, { workers: processes });
    const asked = ask();
    await eventually('it reaches the expert', () => running === 1);
    const faults = new Set<string>();
    let answered = 0;
    let over = false;
    /** One connection after another, as a load balancer with health checks opens them. */
    const knock = async (): Promise<void> => {
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await fetch(`${router.url}/health`, { headers: { connection: 'close' } }).then(
          async (response) => {
            await response.text();
            answered += 1;
          },
          (error: Error) => {
            const { code, syscall } = (error.cause ?? {}) as NodeJS.ErrnoException;
            // A port that closes refuses; what the system was about to hand over then, it resets.
            if (syscall !== 'connect') faults.add(`${syscall} ${code ?? error.message}`);
          },
        );
      }
    };
    const knocking = Array.from({ length: 6 }, knock);
    expect(await router.stop()).toBe(0);
    over = true;
    await Promise.all(knocking);
    expect((await asked).status).toBe(200);
    expect(answered).toBeGreaterThan(0);
    expect([...faults]).toEqual([]);
  });

  it.each([1, 2])('%i: reloads do not multiply what an expert is given', async (processes) => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await start(released, { workers: processes, limit: 2 });
    const all: ReturnType<typeof ask>[] = [];
    for (const [round, limit] of [2, 2, 1, 2].entries()) {
      all.push(ask(), ask());
      await eventually('two run', () => running === 2);
      writeFileSync(config, `heartbeat: ${2 + round}s\n${yaml(limit)}`);
      router.process.kill('SIGHUP');
      await eventually('it is taken up', () => router.output().split('Reloaded').length === round + 2);
    }
    const experts = (await (await fetch(`${router.url}/v1/experts`)).json()) as {
      data: { in_flight: number }[];
    };
    expect(experts.data[0]!.in_flight).toBeGreaterThan(0);
    release();
    expect((await Promise.all(all)).map((one) => one.status)).toEqual(all.map(() => 200));
    expect(most).toBe(2);
  });
});
