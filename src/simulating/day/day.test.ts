import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { deployment } from '../deployment.ts';
import { DEFAULT_LIMITS } from '../memory.ts';
import { meanLengths, NAMED_LENGTHS } from '../workload/lengths.ts';
import { Autoscaler } from './autoscaler.ts';
import { type Day, plannedReplicas, simulateDay } from './day.ts';
import { ExpertPool } from './expert-pool.ts';
import { arrivalsIn, diurnal, recordedRates, sharesAt } from './load.ts';
import { RULES } from './rules.ts';
import { serviceOf } from './service.ts';

const where = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8', engine: 'vllm' });
const lengths = NAMED_LENGTHS.chat!;
const mean = meanLengths(lengths, seededRandom(1));
const service = serviceOf(where, DEFAULT_LIMITS, mean, 0.05);
const day: Day = {
  experts: 3,
  shares: [0.7, 0.2, 0.1],
  requestsPerSecond: 3,
  rate: diurnal,
  lengths,
  meanLengths: mean,
  service,
  gpus: 100,
  startSeconds: 120,
  ttftSeconds: 2,
  seed: 1,
};

describe('the load of a day', () => {
  it('is its mean over the day, least at three and most at fifteen', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => diurnal(hour * 3600));
    expect(hours.reduce((a, b) => a + b) / 24).toBeCloseTo(1, 9);
    expect(hours.indexOf(Math.min(...hours))).toBe(3);
    expect(hours.indexOf(Math.max(...hours))).toBe(15);
  });

  it.each([0.3, 5, 200])('comes at a mean of %d a tick, as a Poisson stream does', (rate) => {
    const random = seededRandom(3);
    const drawn = Array.from({ length: 20_000 }, () => arrivalsIn(rate, random));
    const average = drawn.reduce((a, b) => a + b) / drawn.length;
    const variance = drawn.reduce((sum, n) => sum + (n - average) ** 2, 0) / drawn.length;
    expect(average / rate).toBeCloseTo(1, 1);
    expect(variance / rate).toBeCloseTo(1, 1);
  });

  it('turns its topics around at noon', () => {
    expect(sharesAt(43_199, day.shares)).toEqual([0.7, 0.2, 0.1]);
    expect(sharesAt(43_200, day.shares)).toEqual([0.1, 0.2, 0.7]);
  });

  it('repeats a recorded trace, busy where that was', () => {
    const rate = recordedRates([0, 0.2, 0.4, 0.9, 1.1, 3.5]);
    expect([0, 1, 2, 3, 4].map(rate)).toEqual([4 / 1.5, 1 / 1.5, 0, 1 / 1.5, 4 / 1.5]);
  });
});

describe('what KEDA and the HPA make of a metric', () => {
  const scaled = (min: number, replicas: number) => new Autoscaler({ min, max: 20 }, replicas);

  it('goes up at once, by so much at a time, and not for a tenth', () => {
    const one = scaled(1, 2);
    expect(one.look(0, [{ value: 21, target: 10 }], true)).toBe(2);
    expect(one.look(15, [{ value: 31, target: 10 }], true)).toBe(4);
    expect(one.look(30, [{ value: 1_000, target: 10 }], true)).toBe(8);
    expect(one.look(45, [{ value: 1_000, target: 10 }], true)).toBe(16);
    expect(one.look(60, [{ value: 1_000, target: 10 }], true)).toBe(20);
  });

  it('goes down once nothing higher was wanted for five minutes, and takes the most of several metrics', () => {
    const one = scaled(1, 8);
    const low = [
      { value: 10, target: 10 },
      { value: 0, target: 1 },
    ];
    one.look(0, [{ value: 60, target: 10 }], true);
    for (let at = 15; at < 300; at += 15) expect(one.look(at, low, true)).toBeGreaterThanOrEqual(6);
    expect(one.look(315, low, true)).toBe(1);
  });

  it('goes to none after five minutes that nobody needs it, and comes back for one who does', () => {
    const one = scaled(0, 1);
    const none = [{ value: 0, target: 10 }];
    one.look(0, none, true);
    expect(one.look(285, none, false)).toBe(1);
    expect(one.look(300, none, false)).toBe(0);
    expect(one.look(315, none, false)).toBe(0);
    expect(one.look(330, none, true)).toBe(1);
  });
});

describe('an expert', () => {
  it('answers everybody once, makes them wait for a slot, and holds GPUs until the last has ended', () => {
    const told: (number | null)[] = [];
    const lengthsOf = [{ promptTokens: 100, outputTokens: 100 }];
    const tiny = { ...service, slots: 2 };
    const pool = new ExpertPool(
      {
        service: tiny,
        lengths: lengthsOf,
        meanOutput: 100,
        tickSeconds: 0.25,
        startSeconds: 10,
        answered: (ttft) => told.push(ttft),
      },
      1,
    );
    pool.step(3, () => 0);
    expect(pool.demand).toMatchObject({ inFlight: 2, queued: 1, tokens: 400, queuedTokens: 200 });
    pool.scale(3);
    expect(pool.gpus).toBe(3);
    pool.scale(0);
    expect(pool.gpus).toBe(1);
    pool.scale(1);
    for (let tick = 0; tick < 400; tick++) pool.step(0, () => 0);
    expect(told).toHaveLength(3);
    const first = service.ttftSeconds(100);
    expect(told.slice(0, 2)).toEqual([first, first]);
    expect(pool.demand).toMatchObject({ inFlight: 0, queued: 0, tokens: 0 });
  });

  it('is told to be as fast as its slots allow, however few are taken', () => {
    const pool = new ExpertPool(
      {
        service,
        lengths: [{ promptTokens: 100, outputTokens: 100 }],
        meanOutput: 100,
        tickSeconds: 0.25,
        startSeconds: 10,
        answered: () => {},
      },
      1,
    );
    for (let tick = 0; tick < 2_000; tick++) pool.step(tick % 20 === 0 ? 1 : 0, () => 0);
    const stay = service.ttftSeconds(100) + 100 * service.tpotSeconds;
    const share = pool.demand.rate / ((service.slots * 200) / stay);
    expect(share).toBeGreaterThan(0.8);
    expect(share).toBeLessThan(1.2);
  });
});

describe('a day', () => {
  it('is the same for every rule, and the same again', () => {
    const [fixed, , , own] = RULES.map((rule) => simulateDay(day, rule));
    expect(own!.requests / fixed!.requests).toBeCloseTo(1, 2);
    expect(simulateDay(day, RULES[3]!)).toEqual(own);
    expect(fixed!.gpu_hours).toBe(
      24 * day.shares.reduce((sum, share) => sum + plannedReplicas(day, share), 0),
    );
    expect(own!.hours.reduce((sum, { requests }) => sum + requests, 0)).toBe(own!.requests);
    expect(own!.attained).toBeGreaterThan(0.9);
  });

  it('takes no more GPUs than there are', () => {
    const busy = { ...day, requestsPerSecond: 4, gpus: 5, service: { ...service, slots: 4 } };
    for (const rule of RULES)
      for (const { gpus } of simulateDay(busy, rule).hours) expect(gpus).toBeLessThanOrEqual(5);
  });
});

it('a deployment that is too slow for the time per token is refused', () => {
  expect(() => serviceOf(where, DEFAULT_LIMITS, mean, 0.0001)).toThrow(/cannot write a token in 0.1 ms/);
});
