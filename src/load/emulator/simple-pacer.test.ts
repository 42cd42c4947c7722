/** The simple engine on a clock of the test's own: when tokens leave, who waits, and what is given back. */
import { expect, it } from 'vitest';
import { type SimpleCosts, SimplePacer } from './simple-pacer.ts';
import { TimerWheel } from './timer-wheel.ts';

const COSTS: SimpleCosts = {
  firstTokenMs: 100,
  prefillPerSecond: 1000,
  perTokenMs: { alone: 10, full: 30 },
  maxBatch: 3,
  kvTokens: 100,
};

function engine(costs: Partial<SimpleCosts> = {}) {
  let now = 0;
  const wheel = new TimerWheel(0, 1, 16);
  const pacer = new SimplePacer({ ...COSTS, ...costs }, wheel, () => now);
  const submit = (promptTokens: number, outputTokens: number) => {
    const times: number[] = [];
    const ticket = pacer.submit({ promptTokens, outputTokens, token: () => void times.push(now) });
    return { times, ticket };
  };
  const run = (until: number): void => {
    while (now < until) wheel.advance(++now);
  };
  return { pacer, submit, run };
}

it('gives the first token after prompt and overhead, the others at the pace of a batch of one', () => {
  const { submit, run, pacer } = engine();
  const { times } = submit(50, 4);
  run(1000);
  expect(times).toEqual([150, 160, 170, 180]);
  expect(pacer.state()).toMatchObject({ running: 0, waiting: 0, kvTokens: 0 });
});

it('reads prompts one after another and slows down as the batch fills', () => {
  const { submit, run } = engine();
  const all = [submit(10, 3), submit(10, 3), submit(10, 3)];
  run(1000);
  expect(all.map(({ times }) => times[0])).toEqual([110, 120, 130]);
  expect(all[0]!.times).toEqual([110, 140, 170]);
});

it('queues jobs in order while batch or cache is full', () => {
  const batch = engine({ maxBatch: 1 });
  const [first, second] = [batch.submit(10, 2), batch.submit(10, 2)];
  expect(batch.pacer.state()).toMatchObject({ running: 1, waiting: 1 });
  batch.run(1000);
  expect(second.times[0]).toBeGreaterThan(first.times[1]!);
  const cache = engine();
  cache.submit(60, 10);
  cache.submit(30, 1);
  cache.submit(1, 1);
  expect(cache.pacer.state()).toMatchObject({ running: 1, waiting: 2, kvTokens: 70 });
});

it('refuses what can never fit', () => {
  expect(engine().submit(90, 11).ticket).toBeNull();
});

it('frees the slot of a withdrawn job once, running or queued', () => {
  const { submit, run, pacer } = engine({ maxBatch: 1 });
  const [first, second, third] = [submit(1, 9), submit(1, 9), submit(1, 1)];
  run(105);
  second.ticket?.withdraw();
  first.ticket?.withdraw();
  first.ticket?.withdraw();
  expect(pacer.state()).toMatchObject({ running: 1, waiting: 0, kvTokens: 2 });
  run(1000);
  expect(first.times).toEqual([101]);
  expect(second.times).toEqual([]);
  expect(third.times).toHaveLength(1);
  expect(pacer.state()).toMatchObject({ running: 0, kvTokens: 0 });
});

it.each([13, 2])(
  'keeps a pace of %d ms though ticks are coarse, and deadlines rounds of the wheel away',
  (step) => {
    let now = 0;
    const wheel = new TimerWheel(0, 5, 8);
    const pacer = new SimplePacer(
      { ...COSTS, perTokenMs: { alone: step, full: step }, firstTokenMs: 1000 },
      wheel,
      () => now,
    );
    const times: number[] = [];
    pacer.submit({ promptTokens: 0, outputTokens: 50, token: () => void times.push(now) });
    while (now < 3000) {
      now += 5;
      wheel.advance(now);
    }
    expect(times[0]).toBe(1000);
    expect(times.at(-1)).toBe(1000 + Math.ceil((49 * step) / 5) * 5);
  },
);
