/** The simulator's engine behind the emulator's `Pacer`, on a clock of the test's own. */
import { expect, it } from 'vitest';
import { deployment } from '../../simulating/deployment.ts';
import { DEFAULT_LIMITS, memoryBudget } from '../../simulating/memory.ts';
import { Pacer as Engine } from '../../simulating/pacer.ts';
import { simulatedEngine } from './simulated-pacer.ts';
import { TimerWheel } from './timer-wheel.ts';

const NAMES = { model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' };
const { kvTokens: CAPACITY } = memoryBudget(deployment(NAMES));

function server({ slowDown = 1, maxBatch = DEFAULT_LIMITS.maxBatch } = {}) {
  let now = 0;
  const wheel = new TimerWheel(0, 1, 16);
  const pacer = simulatedEngine(NAMES, { ...DEFAULT_LIMITS, maxBatch }, slowDown)(wheel, () => now);
  const submit = (promptTokens: number, outputTokens: number) => {
    const times: number[] = [];
    const job = { promptTokens, outputTokens, token: () => void times.push(now) };
    const ticket = pacer.submit(job);
    return { times, ticket };
  };
  const run = (until: number): void => {
    while (now < until) wheel.advance(++now);
  };
  return { pacer, submit, run };
}

/** Seconds at which the engine itself gives a lone request its tokens. */
function alone(promptTokens: number, outputTokens: number): number[] {
  const engine = new Engine(NAMES);
  engine.submit({ id: 1, promptTokens, outputTokens }, 0);
  const times: number[] = [];
  for (let { askAgainAt } = engine.due(0); times.length < outputTokens; ) {
    const due = engine.due(askAgainAt);
    for (const { generated } of due.tokens)
      while (times.length < generated) times.push(askAgainAt + engine.lagSeconds);
    askAgainAt = due.askAgainAt;
  }
  return times;
}

it.each([1, 10])(
  'gives every token at the first tick at or after the engine has it, %d times as slow',
  (slowDown) => {
    const { submit, run, pacer } = server({ slowDown });
    const { times } = submit(1000, 30);
    run(2000 * slowDown);
    const expected = alone(1000, 30).map((seconds) => Math.ceil(seconds * 1000 * slowDown - 1e-6));
    expect(times).toEqual(expected);
    expect(pacer.state()).toMatchObject({ running: 0, waiting: 0, kvTokens: 0, kvCapacity: CAPACITY });
  },
);

it('gives every answer of a crowd all its tokens and goes idle', () => {
  const { submit, run, pacer } = server();
  const all = Array.from({ length: 60 }, (_, i) => {
    run(i * 7);
    return { length: 1 + (i % 40), ...submit(50 + 31 * i, 1 + (i % 40)) };
  });
  run(5000);
  expect(all.map(({ times }) => times.length)).toEqual(all.map(({ length }) => length));
  expect(pacer.state()).toMatchObject({ running: 0, waiting: 0, kvTokens: 0 });
});

it('queues jobs in order while batch or cache is full', () => {
  const batch = server({ maxBatch: 1 });
  const [first, second] = [batch.submit(10, 20), batch.submit(10, 2)];
  batch.run(2000);
  expect(second.times[0]).toBeGreaterThan(first.times.at(-1)!);
  const cache = server();
  const half = Math.ceil(CAPACITY / 2);
  for (let i = 0; i < 3; i += 1) cache.submit(half, 100);
  cache.run(1000);
  expect(cache.pacer.state()).toMatchObject({ running: 1, waiting: 2 });
  expect(cache.pacer.state().kvTokens).toBeLessThanOrEqual(CAPACITY);
});

it('refuses what the cache could never hold', () => {
  expect(server().submit(CAPACITY, 1).ticket).toBeNull();
});

it('frees the slot of a withdrawn job once, before or while running', () => {
  const { submit, run, pacer } = server();
  const [stays, leaves] = [submit(100, 50), submit(100, 5000)];
  const early = submit(100, 50);
  early.ticket?.withdraw();
  run(200);
  expect(leaves.times.length).toBeGreaterThan(0);
  const before = leaves.times.length;
  leaves.ticket?.withdraw();
  leaves.ticket?.withdraw();
  run(3000);
  expect([stays.times.length, leaves.times.length, early.times.length]).toEqual([50, before, 0]);
  expect(pacer.state()).toMatchObject({ running: 0, waiting: 0, kvTokens: 0 });
});
