import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepCost, StepLoad } from '../cost/step.ts';
import { KvCache } from './kv-cache.ts';
import { Replica } from './replica.ts';
import { type AdmissionRule, Scheduler } from './scheduler.ts';
import type { GenerationRequest } from './sequence.ts';

/** A step costs 1 ms, 1 us a token of context and 10 us a prompt token: linear, as attention is. */
const COST: StepCost = {
  perRequest: 0,
  seconds: (load) => 1e-3 + 1e-6 * load.decodeContext + 1e-5 * load.prefillTokens,
  breakdown: () => {
    throw new Error('not asked for');
  },
};

const LIMITS = { maxBatch: 8, maxTokens: 256, chunkedPrefill: true };
const RULES: readonly AdmissionRule[] = ['guaranteed-no-evict', 'optimistic'];

const requestList = fc.array(
  fc.record({
    promptTokens: fc.integer({ min: 1, max: 400 }),
    outputTokens: fc.integer({ min: 1, max: 60 }),
    at: fc.double({ min: 0, max: 0.5, noNaN: true }),
    shared: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);
type Spec = { promptTokens: number; outputTokens: number; at: number; shared: number };

const toRequest = (spec: Spec, id: number): GenerationRequest => ({
  id,
  promptTokens: spec.promptTokens,
  outputTokens: spec.outputTokens,
  ...(spec.shared > 0 && spec.promptTokens >= 32 * spec.shared
    ? { prefix: { ids: Array.from({ length: spec.shared }, (_, i) => i), tokensPerId: 32 } }
    : {}),
});

interface Outcome {
  readonly first: ReadonlyMap<number, number>;
  readonly end: ReadonlyMap<number, number>;
  readonly loads: readonly { load: StepLoad; steps: number }[];
  readonly replica: Replica;
  readonly cache: KvCache;
}

function runAll(specs: readonly Spec[], admission: AdmissionRule, capacity = 1024): Outcome {
  const cache = new KvCache(capacity, 16);
  const replica = new Replica(COST, { ...LIMITS, admission }, cache);
  const first = new Map<number, number>();
  const end = new Map<number, number>();
  const loads: { load: StepLoad; steps: number }[] = [];
  const listener = {
    firstToken: (r: GenerationRequest, time: number) => void first.set(r.id, time),
    finished: (r: GenerationRequest, time: number) => void end.set(r.id, time),
    ran: (load: StepLoad, steps: number) => void loads.push({ load: { ...load }, steps }),
  };
  const queue = specs.map((spec, id) => ({ spec, id })).sort((a, b) => a.spec.at - b.spec.at);
  for (;;) {
    const next = queue[0];
    if (next && next.spec.at <= replica.nextTime) {
      replica.submit(toRequest(next.spec, next.id), next.spec.at);
      queue.shift();
    } else if (replica.nextTime < Number.POSITIVE_INFINITY) replica.advance(replica.nextTime, listener);
    else break;
  }
  return { first, end, loads, replica, cache };
}

describe.each(RULES)('the engine under %s', (admission) => {
  it('answers every request once, first token before the last, and gives all blocks back', () => {
    fc.assert(
      fc.property(requestList, (specs) => {
        const { first, end, replica, cache } = runAll(specs, admission);
        expect(end.size).toBe(specs.length);
        specs.forEach((spec, id) => {
          expect(first.get(id)).toBeGreaterThan(spec.at);
          expect(end.get(id)).toBeGreaterThanOrEqual(first.get(id)!);
        });
        expect(replica.running + replica.waiting).toBe(0);
        expect(cache.used).toBe(0);
        expect(cache.available).toBe(cache.capacity);
      }),
    );
  });

  it('keeps every step within the limits of batch, tokens and blocks', () => {
    fc.assert(
      fc.property(requestList, (specs) => {
        for (const { load } of runAll(specs, admission).loads) {
          expect(load.decodeSequences + load.prefillSequences).toBeLessThanOrEqual(LIMITS.maxBatch);
          expect(load.decodeSequences + load.prefillTokens).toBeLessThanOrEqual(LIMITS.maxTokens);
          expect(load.decodeContext).toBeLessThanOrEqual(1024 + 3 * 32 * LIMITS.maxBatch);
        }
      }),
    );
  });

  it('generates exactly the tokens asked for, and processes each prompt once unless it preempts', () => {
    fc.assert(
      fc.property(requestList, (specs) => {
        const plain = specs.map((spec) => ({ ...spec, shared: 0 }));
        const { loads, replica } = runAll(plain, admission);
        const decoded = loads.reduce((sum, { load, steps }) => sum + load.decodeSequences * steps, 0);
        const prefilled = loads.reduce((sum, { load }) => sum + load.prefillTokens, 0);
        const outputs = plain.reduce((sum, s) => sum + s.outputTokens - 1, 0);
        const prompts = plain.reduce((sum, s) => sum + s.promptTokens, 0);
        if (replica.preemptions === 0) {
          expect(decoded).toBe(outputs);
          expect(prefilled).toBe(prompts);
        } else {
          // Recomputing gives the next token from the prefill, so each preemption may save one decode step.
          expect(prefilled).toBeGreaterThan(prompts);
          expect(decoded).toBeGreaterThanOrEqual(outputs - replica.preemptions);
        }
      }),
    );
  });

  it('is deterministic', () => {
    fc.assert(
      fc.property(requestList, (specs) => {
        expect([...runAll(specs, admission).end]).toEqual([...runAll(specs, admission).end]);
      }),
      { numRuns: 20 },
    );
  });
});

describe('skipping over identical steps', () => {
  it.each(RULES)('gives the times that single steps give, under %s', (admission) => {
    fc.assert(
      fc.property(requestList, (specs) => {
        const whole = runAll(specs, admission);
        const single = stepByStep(specs, admission);
        expect(whole.end.size).toBe(single.size);
        for (const [id, time] of whole.end) expect(time).toBeCloseTo(single.get(id)!, 9);
      }),
      { numRuns: 60 },
    );
  });

  /** The same engine, woken at every arrival and driven one decode step at a time through the scheduler. */
  function stepByStep(specs: readonly Spec[], admission: AdmissionRule): Map<number, number> {
    const cache = new KvCache(1024, 16);
    const scheduler = new Scheduler({ ...LIMITS, admission }, cache);
    const queue = specs.map((spec, id) => ({ spec, id })).sort((a, b) => a.spec.at - b.spec.at);
    const end = new Map<number, number>();
    let clock = 0;
    while (queue.length > 0 || scheduler.running + scheduler.waiting > 0) {
      if (scheduler.running + scheduler.waiting === 0) clock = Math.max(clock, queue[0]!.spec.at);
      while (queue[0] && queue[0].spec.at <= clock) {
        const { spec, id } = queue.shift()!;
        scheduler.enqueue(toRequest(spec, id));
      }
      const plan = scheduler.plan()!;
      clock += COST.seconds(plan.load);
      for (const request of scheduler.complete(plan, 1).finished) end.set(request.id, clock);
    }
    return end;
  }
});

describe('optimistic admission', () => {
  it('preempts when blocks run out, and still finishes everybody', () => {
    const specs = Array.from({ length: 6 }, () => ({
      promptTokens: 100,
      outputTokens: 200,
      at: 0,
      shared: 0,
    }));
    const { end, replica } = runAll(specs, 'optimistic', 1024);
    expect(replica.preemptions).toBeGreaterThan(0);
    expect(end.size).toBe(6);
  });

  it('admits more at once than reserving does', () => {
    const specs = Array.from({ length: 8 }, () => ({
      promptTokens: 64,
      outputTokens: 150,
      at: 0,
      shared: 0,
    }));
    const most = (rule: AdmissionRule): number =>
      Math.max(...runAll(specs, rule, 1024).loads.map(({ load }) => load.decodeSequences));
    expect(most('optimistic')).toBeGreaterThan(most('guaranteed-no-evict'));
  });
});

describe('prefix reuse', () => {
  it('computes a shared prefix once', () => {
    const specs = [0, 0.4].map((at) => ({ promptTokens: 100, outputTokens: 5, at, shared: 3 }));
    const prefilled = (list: Spec[]): number =>
      runAll(list, 'guaranteed-no-evict').loads.reduce((sum, { load }) => sum + load.prefillTokens, 0);
    expect(prefilled(specs)).toBe(200 - 96);
    expect(prefilled(specs.map((s) => ({ ...s, shared: 0 })))).toBe(200);
  });

  it('evicts idle prefixes for room, never those in use', () => {
    const cache = new KvCache(160, 16);
    cache.pin({ ids: [1, 2], tokensPerId: 32 });
    cache.unpin({ ids: [1, 2], tokensPerId: 32 });
    expect(cache.available).toBe(10);
    cache.take(7);
    expect(cache.match({ ids: [1, 2], tokensPerId: 32 })).toBe(1);
    expect(() => cache.take(4)).toThrow(/took/);
  });
});

describe('cancelling', () => {
  it('frees the blocks of a running request and forgets a waiting one', () => {
    const cache = new KvCache(320, 16);
    const replica = new Replica(COST, { ...LIMITS, admission: 'guaranteed-no-evict' }, cache);
    const listener = { firstToken: () => {}, finished: () => {} };
    replica.submit({ id: 1, promptTokens: 100, outputTokens: 200 }, 0);
    replica.submit({ id: 2, promptTokens: 100, outputTokens: 200 }, 0);
    for (let i = 0; i < 3; i++) replica.advance(replica.nextTime, listener);
    expect([replica.running, replica.waiting]).toEqual([1, 1]);
    expect(replica.cancel(2, 0.01)).toBe(true);
    expect(replica.cancel(1, 0.02)).toBe(true);
    expect(replica.cancel(1, 0.02)).toBe(false);
    expect(cache.used).toBe(0);
    expect(replica.nextTime).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a front end that relays so many tokens a second', () => {
  const times = (frontEnd?: number): number[] => {
    const cache = new KvCache(100_000, 16);
    const replica = new Replica(
      COST,
      { ...LIMITS, maxBatch: 64, maxTokens: 8192, admission: 'optimistic' },
      cache,
      frontEnd,
    );
    const first: number[] = [];
    const listener = {
      firstToken: ({ id }: GenerationRequest, time: number) => {
        first[id] = time;
      },
      finished: () => {},
    };
    for (let id = 0; id < 20; id++) replica.submit({ id, promptTokens: 10, outputTokens: 50 }, 0);
    while (replica.nextTime < Number.POSITIVE_INFINITY) replica.advance(replica.nextTime, listener);
    return first;
  };

  it('holds up who comes faster, one after the other', () => {
    const [free, limited] = [times(), times(1000)];
    // The twentieth waits for 19 answers of 50 tokens at 1,000 a second.
    expect(limited[19]! - free[19]!).toBeGreaterThan(0.9);
    // Alone in its step it is even sooner.
    expect(limited[0]).toBeLessThan(free[0]!);
  });

  it('forgets a request that is cancelled before it has entered', () => {
    const replica = new Replica(COST, { ...LIMITS, admission: 'optimistic' }, new KvCache(1000, 16), 10);
    replica.submit({ id: 1, promptTokens: 10, outputTokens: 50 }, 0);
    replica.submit({ id: 2, promptTokens: 10, outputTokens: 50 }, 0);
    expect(replica.waiting + replica.running).toBe(2);
    expect(replica.cancel(2, 0)).toBe(true);
    expect(replica.waiting + replica.running).toBe(1);
  });
});
