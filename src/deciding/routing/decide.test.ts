import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAVING } from './conversation.ts';
import { decide, decideFor } from './decide.ts';
import { nearest } from './policies/nearest.ts';
import { spill } from './policies/spill.ts';
import { type BoundPolicy, bindPolicy, type LoadSnapshot } from './policy.ts';
import { affinities, type Classified, distanceOf, expertDistances, type Territory } from './territory.ts';

/** Three experts over four clusters; `spare` serves none and is the fallback. */
const TERRITORY: Territory = { experts: ['code', 'maths', 'spare'], owners: [0, 0, 1, 1], fallback: 2 };
const IDLE: LoadSnapshot = {
  inFlight: 0,
  queued: 0,
  outstandingTokens: 0,
  tokensPerSecond: 0,
  capacity: 8,
  available: true,
};
const CONTEXT = {
  request: {
    promptTokens: 100,
    outputTokens: 100,
    prefixKey: null,
    priority: 0,
    deadline: Number.POSITIVE_INFINITY,
  },
  random: 0.5,
  sequence: 0,
};

function turn(...distances: number[]): Classified {
  const cluster = distances.indexOf(Math.min(...distances));
  return { cluster, distances: Float32Array.from(distances), outside: false };
}

const toCode = turn(0.3, 0.9, 0.9, 0.9);
const toMaths = turn(0.9, 0.9, 0.3, 0.9);
const between = turn(0.62, 0.9, 0.6, 0.9);
const outside = (classified: Classified): Classified => ({ ...classified, outside: true });

const choose = (...turns: Classified[]) =>
  decide(TERRITORY, turns, [IDLE, IDLE, IDLE], bindPolicy(nearest), CONTEXT);

describe('expert distances and affinities', () => {
  it('takes the nearest cluster of each expert; none means infinitely far', () => {
    expect([...expertDistances(TERRITORY, Float32Array.of(0.5, 0.25, 0.75, 1))]).toEqual([
      0.25,
      0.75,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('follows exp(-(d² - d²min) / 0.1)', () => {
    const [best, second, never] = affinities(Float64Array.of(0.5, 0.6, Number.POSITIVE_INFINITY));
    expect(best).toBe(1);
    expect(second).toBeCloseTo(Math.exp(-(0.36 - 0.25) / 0.1), 12);
    expect(never).toBe(0);
  });

  it('has an inverse', () => {
    const unit = fc.double({ min: 1e-9, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, fc.double({ min: 0, max: 2, noNaN: true }), (affinity, near) => {
        expect(affinities(Float64Array.of(near, distanceOf(affinity, near)))[1]).toBeCloseTo(affinity, 9);
      }),
    );
  });

  it('is all zero when no expert serves a cluster', () => {
    expect([...affinities(Float64Array.of(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))]).toEqual([
      0, 0,
    ]);
  });
});

describe('decide', () => {
  it("sends a prompt to its cluster's expert and ranks the rest behind", () => {
    const decision = choose(toMaths);
    expect(decision).toMatchObject({ expert: 'maths', reason: 'nearest-cluster' });
    expect(decision.ranking.map((one) => one.expert)).toEqual(['maths', 'code', 'spare']);
    expect(decision.ranking[2]!.distance).toBeNull();
  });

  it('sends what is outside to the fallback, and without one to the nearest', () => {
    expect(choose(outside(toCode))).toMatchObject({ expert: 'spare', reason: 'outside' });
    const open = { ...TERRITORY, fallback: null };
    const decision = decide(open, [outside(toCode)], [IDLE, IDLE, IDLE], bindPolicy(nearest), CONTEXT);
    expect(decision).toMatchObject({ expert: 'code', reason: 'nearest-cluster' });
  });

  it('reports spilled when load decided, and names the home expert', () => {
    const away = { ...IDLE, available: false };
    const decision = decide(TERRITORY, [toMaths], [IDLE, away, IDLE], bindPolicy(spill), CONTEXT);
    expect(decision).toMatchObject({ expert: 'code', home: 'maths', reason: 'spilled' });
    expect(choose(toMaths)).toMatchObject({ home: 'maths' });
  });

  it('puts the expert a client asks for first and keeps the others as fallback order', () => {
    const decision = decideFor(TERRITORY, 'spare', [toMaths], 'forced');
    expect(decision.ranking.map((one) => one.expert)).toEqual(['spare', 'maths', 'code']);
    expect(decision.reason).toBe('forced');
  });

  it('gives the policy the request, and says how warm each expert is for the conversation so far', () => {
    const seen: unknown[] = [];
    const watching: BoundPolicy = {
      id: 'watching',
      rank: ({ candidates, request }) => {
        seen.push([request, candidates.map(({ warmth }) => warmth)]);
        return candidates;
      },
    };
    const request = { ...CONTEXT.request, priority: 3, prefixKey: 'k', deadline: 20 };
    for (const turns of [[toCode], [toCode, between], [toCode, toMaths]])
      decide(TERRITORY, turns, [IDLE, IDLE, IDLE], watching, { ...CONTEXT, request });
    // The third conversation moves to another expert at its last turn; its prefix is still where it was.
    expect(seen).toEqual([
      [request, [null, null, null]],
      [request, [1, 0, 0]],
      [request, [1, 0, 0]],
    ]);
  });

  it('refuses what a policy returns when an expert is missing', () => {
    const forgetful: BoundPolicy = { id: 'forgetful', rank: ({ candidates }) => candidates.slice(1) };
    expect(() => decide(TERRITORY, [toCode], [IDLE, IDLE, IDLE], forgetful, CONTEXT)).toThrow(
      "Policy 'forgetful' ranked 2 of 3 experts",
    );
  });

  it('ranks every expert once, home first, for any distances', () => {
    const distance = fc.double({ min: 0, max: 2, noNaN: true });
    const turns = fc.array(
      fc.record({ distances: fc.tuple(distance, distance, distance, distance), outside: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(turns, (list) => {
        const decision = choose(...list.map((one) => ({ ...turn(...one.distances), outside: one.outside })));
        expect(decision.ranking.map((one) => one.expert).toSorted()).toEqual(['code', 'maths', 'spare']);
        expect(decision.ranking[0]!.affinity).toBe(1);
        expect(decision.ranking.every((one) => one.affinity >= 0 && one.affinity <= 1)).toBe(true);
      }),
    );
  });
});

describe('a conversation', () => {
  it('invariant 13: stays with its expert while a turn is not clearly elsewhere', () => {
    expect(affinities(expertDistances(TERRITORY, between.distances))[0]).toBeGreaterThan(1 - LEAVING);
    expect(choose(between)).toMatchObject({ expert: 'maths' });
    expect(choose(toCode, between)).toMatchObject({ expert: 'code', reason: 'conversation' });
  });

  it('moves when a turn clearly belongs elsewhere, and stays there', () => {
    expect(choose(toCode, toMaths)).toMatchObject({ expert: 'maths', reason: 'nearest-cluster' });
    expect(choose(toCode, toMaths, between)).toMatchObject({ expert: 'maths' });
  });

  it('does not leave for a turn that is unlike anything known', () => {
    expect(choose(toCode, outside(toMaths))).toMatchObject({ expert: 'code', reason: 'conversation' });
  });

  it('leaves the fallback at the first turn that lies inside', () => {
    expect(choose(outside(toCode), toCode)).toMatchObject({ expert: 'code', reason: 'nearest-cluster' });
  });
});

describe('a conversation that is remembered to live elsewhere', () => {
  const at = (livesAt: string | null, ...turns: readonly Classified[]) =>
    decide(TERRITORY, turns, [IDLE, IDLE, IDLE], bindPolicy(spill), { ...CONTEXT, livesAt });

  it('stays there while its turns say nothing against it', () => {
    const yes = { ...toMaths, words: 1 };
    expect(at('spare', toMaths, yes)).toMatchObject({
      expert: 'spare',
      reason: 'conversation',
      livedAt: 'spare',
    });
    expect(at(null, toMaths, yes)).toMatchObject({ expert: 'maths', livedAt: 'maths' });
  });

  it('goes where a turn clearly belongs', () => {
    expect(at('code', toMaths, toMaths)).toMatchObject({ expert: 'maths', home: 'maths', livedAt: 'code' });
  });

  it('is judged by its turns where that expert is there no more', () => {
    expect(at('gone', toMaths, toMaths)).toEqual(at(null, toMaths, toMaths));
  });
});

describe('a change of subject', () => {
  const chosenAfter = (promptTokens: number, load: Partial<LoadSnapshot> = {}) => {
    const request = { ...CONTEXT.request, promptTokens };
    const loads = [IDLE, { ...IDLE, ...load }, IDLE];
    return decide(TERRITORY, [toCode, toMaths], loads, bindPolicy(spill), { ...CONTEXT, request }).expert;
  };

  it('is followed as long as reading the conversation anew costs less than the turns that come would lack', () => {
    expect(chosenAfter(8_000)).toBe('maths');
    expect(chosenAfter(16_000)).toBe('maths');
    expect(chosenAfter(64_000)).toBe('code');
  });

  it('is followed further where reading was measured to be quick', () => {
    expect(chosenAfter(64_000, { prefillTokensPerSecond: 40_000 })).toBe('maths');
  });

  it('costs nothing to follow where nothing stays cached', () => {
    const request = { ...CONTEXT.request, promptTokens: 64_000 };
    const loads = [{ ...IDLE, cachedShare: 0 }, IDLE, IDLE];
    const { expert } = decide(TERRITORY, [toCode, toMaths], loads, bindPolicy(spill), {
      ...CONTEXT,
      request,
    });
    expect(expert).toBe('maths');
  });
});
