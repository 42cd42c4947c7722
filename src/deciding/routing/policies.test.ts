import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedWait } from './expected-wait.ts';
import { POLICIES, POLICY_NAMES } from './policies.ts';
import type { Candidate, LoadSnapshot, RoutingContext } from './policy.ts';
import { rankReplicas } from './replica.ts';

const IDLE: LoadSnapshot = {
  inFlight: 0,
  queued: 0,
  outstandingTokens: 0,
  tokensPerSecond: 100,
  capacity: 4,
  available: true,
};
const CONTEXT: RoutingContext = { random: 0.3, sequence: 0, secondsPerAffinity: 2 };

const candidate = (id: string, affinity: number, load: Partial<LoadSnapshot> = {}): Candidate => ({
  id,
  affinity,
  load: { ...IDLE, ...load },
});
/** A load under which the next request waits so many seconds. */
const waiting = (seconds: number): Partial<LoadSnapshot> => ({
  inFlight: 4,
  outstandingTokens: 4 * 100 * seconds,
});
const ids = (ranked: readonly Candidate[]) => ranked.map((one) => one.id);

const anyLoad: fc.Arbitrary<LoadSnapshot> = fc.record({
  inFlight: fc.nat(100),
  queued: fc.nat(100),
  outstandingTokens: fc.nat(100_000),
  tokensPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 1e5, noNaN: true })),
  capacity: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 100 })),
  available: fc.boolean(),
});
const anyCandidates = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), anyLoad), { minLength: 1, maxLength: 12 })
  .map((list) => list.map(([affinity, load], index): Candidate => ({ id: `e${index}`, affinity, load })));
const anyContext = fc.record({
  random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  sequence: fc.nat(),
  secondsPerAffinity: fc.double({ min: 0.01, max: 1000, noNaN: true }),
});

describe.each(POLICY_NAMES)('every policy: %s', (name) => {
  const policy = POLICIES[name];

  it('returns every candidate once, the available first, and mutates nothing', () => {
    fc.assert(
      fc.property(anyCandidates, anyContext, (candidates, context) => {
        const before = structuredClone(candidates);
        const ranked = policy(Object.freeze(candidates), context);
        expect(candidates).toEqual(before);
        expect(ids(ranked).toSorted()).toEqual(ids(candidates).toSorted());
        const available = ranked.map((one) => one.load.available);
        expect(available).toEqual(available.toSorted((a, b) => Number(b) - Number(a)));
      }),
    );
  });

  it('is a function of its arguments', () => {
    fc.assert(
      fc.property(anyCandidates, anyContext, (candidates, context) => {
        expect(ids(policy(candidates, context))).toEqual(ids(policy(candidates, context)));
      }),
    );
  });

  it('takes a lone candidate, and none', () => {
    expect(ids(policy([candidate('a', 0.5)], CONTEXT))).toEqual(['a']);
    expect(policy([], CONTEXT)).toEqual([]);
  });
});

describe('expected wait', () => {
  it('is nothing while a slot is free, and the backlog over the rate of leaving after that', () => {
    expect(expectedWait({ ...IDLE, inFlight: 3, outstandingTokens: 300 })).toBe(0);
    // 4 running and 2 queued at 50 tokens each, 4 slots: 3 must leave first, at 100 / 50 = 2 a second.
    expect(expectedWait({ ...IDLE, inFlight: 4, queued: 2, outstandingTokens: 300 })).toBe(1.5);
    expect(expectedWait({ ...IDLE, inFlight: 9, outstandingTokens: 900, tokensPerSecond: 0 })).toBe(0);
  });
});

describe('spill', () => {
  it('stays while the wait is worth it, and goes to the best trade when it is not', () => {
    const at = (seconds: number) =>
      ids(
        POLICIES.spill(
          [candidate('home', 1, waiting(seconds)), candidate('next', 0.5), candidate('far', 0.1)],
          CONTEXT,
        ),
      );
    expect(at(0.9)).toEqual(['home', 'next', 'far']); // 1 − 0.9 / 2 = 0.55
    expect(at(1.1)[0]).toBe('next'); // 1 − 1.1 / 2 = 0.45
    expect(at(10)).toEqual(['next', 'far', 'home']);
  });

  it('is nearest when nobody waits', () => {
    fc.assert(
      fc.property(anyCandidates, anyContext, (candidates, context) => {
        const idle = candidates.map((one) => ({ ...one, load: IDLE }));
        expect(ids(POLICIES.spill(idle, context))).toEqual(ids(POLICIES.nearest(idle, context)));
      }),
    );
  });
});

describe('the others', () => {
  it('round-robin takes turns', () => {
    const three = [candidate('a', 0), candidate('b', 1), candidate('c', 0.5)];
    const firsts = [0, 1, 2, 3].map(
      (sequence) => POLICIES['round-robin'](three, { ...CONTEXT, sequence })[0]!.id,
    );
    expect(firsts).toEqual(['a', 'b', 'c', 'a']);
  });

  it('random and power-of-two reach everyone, and power-of-two avoids the fullest', () => {
    const many = [
      candidate('a', 0),
      candidate('b', 0),
      candidate('full', 0, { inFlight: 4 }),
      candidate('c', 0),
    ];
    const firsts = (name: 'random' | 'power-of-two') =>
      new Set(
        Array.from({ length: 200 }, (_, i) => POLICIES[name](many, { ...CONTEXT, random: i / 200 })[0]!.id),
      );
    expect(firsts('random')).toEqual(new Set(['a', 'b', 'full', 'c']));
    expect(firsts('power-of-two')).toEqual(new Set(['a', 'b', 'c']));
  });
});

describe('rankReplicas', () => {
  const replica = (name: string, outstandingTokens = 0, weight = 1, available = true, full = false) => ({
    name,
    outstandingTokens,
    weight,
    available,
    full,
  });

  it('takes the least loaded for its weight', () => {
    expect(rankReplicas([replica('a', 100), replica('b', 150, 2), replica('c', 90)], null)).toEqual([
      1, 2, 0,
    ]);
  });

  it('leaves out what is unavailable', () => {
    expect(rankReplicas([replica('a', 0, 1, false), replica('b')], 'key')).toEqual([1]);
    expect(rankReplicas([replica('a', 0, 1, false)], null)).toEqual([]);
  });

  it('sticks a conversation to one replica, and keys spread by weight', () => {
    const replicas = [replica('a'), replica('b'), replica('c', 0, 2)];
    const home = (key: string) => rankReplicas(replicas, key)[0]!;
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[home(`conversation ${i}`)]! += 1;
    expect(home('x')).toBe(home('x'));
    expect(counts[0]! / 4000).toBeCloseTo(0.25, 1);
    expect(counts[2]! / 4000).toBeCloseTo(0.5, 1);
  });

  it('moves only the keys of a replica that leaves', () => {
    const all = [replica('a'), replica('b'), replica('c')];
    const less = [replica('a'), replica('b'), replica('c', 0, 1, false)];
    for (let i = 0; i < 200; i++) {
      const before = rankReplicas(all, `k${i}`)[0]!;
      if (before !== 2) expect(rankReplicas(less, `k${i}`)[0]).toBe(before);
    }
  });

  it('takes one without room in its cache only where no other has any, its own conversations included', () => {
    const full = (name: string) => replica(name, 0, 1, true, true);
    for (const key of ['k', 'l', 'm', null]) {
      expect(rankReplicas([full('a'), replica('b', 900), replica('c', 800)], key).at(-1)).toBe(0);
      expect(rankReplicas([full('a'), full('b')], key)).toHaveLength(2);
    }
  });

  it('invariant 18: never lets affinity beat overload: the sticky one has at most its bounded share', () => {
    const load = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(load, fc.string(), (loads, key) => {
        const replicas = loads.map((tokens, index) => replica(`r${index}`, tokens));
        const mean = loads.reduce((sum, tokens) => sum + tokens, 0) / loads.length;
        expect(loads[rankReplicas(replicas, key)[0]!]!).toBeLessThanOrEqual(1.25 * mean + 2_000);
      }),
    );
  });
});
