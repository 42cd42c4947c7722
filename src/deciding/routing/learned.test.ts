import { describe, expect, it } from 'vitest';
import type { Quality } from '../quality/quality.ts';
import { claimsOf } from './claims.ts';
import { conversationHome } from './conversation.ts';
import { decide } from './decide.ts';
import { learnedChoice, learnedOf, type Worth } from './learned.ts';
import { nearest } from './policies/nearest.ts';
import { bindPolicy, idleLoad } from './policy.ts';
import type { Classified, Territory } from './territory.ts';

const quality: Quality = {
  experts: ['code', 'cheap', 'gone'],
  dimensions: 2,
  means: Float32Array.of(0.6, 0.5, 0.9),
  variances: new Float32Array(3),
  chains: [],
  // The constant is 0, so that a prompt's vector is what it adds to the means of the first two experts.
  ridge: {
    centroids: Float32Array.of(9, 9),
    width: 0.01,
    weights: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
  },
  best: 2,
  headStart: 0.02,
  unit: 0.1,
  prices: [
    { cost: 0.01, latency: 2 },
    { cost: 0.001, latency: 1 },
    { cost: null, latency: null },
  ],
  evidence: {
    prompts: 0,
    scores: 0,
    bestSingle: 0,
    gain: 0,
    standardError: 0,
    significant: true,
    blend: { chains: 1, ridge: 0 },
    deciding: 0,
    seed: 1,
  },
};
/** Unit vectors of the experts' texts. */
const TEXTS: Readonly<Record<string, Float32Array>> = {
  code: Float32Array.of(1, 0),
  cheap: Float32Array.of(0, 1),
};
const free: Worth = { score_per_cost: 0, score_per_second: 0 };

function territory(worth = free, change: Partial<Quality> = {}, pinned: number[] = []): Territory {
  const experts = ['cheap', 'code', 'unscored'];
  return {
    experts,
    owners: [2, 2],
    fallback: 2,
    learned: learnedOf({ ...quality, ...change }, experts, new Set(pinned), worth),
  };
}

const turn = (code: number, cheap: number, more: Partial<Classified> = {}): Classified => ({
  cluster: 0,
  distances: Float32Array.of(0.1, 1),
  outside: false,
  vector: Float32Array.of(code - 0.6, cheap - 0.5),
  ...more,
});

const simulated = ({ vector: _vector, ...rest }: Classified): Classified => rest;

const home = (on: Territory, ...turns: Classified[]): string => {
  const { expert, reason } = conversationHome(on, turns);
  return `${on.experts[expert]} ${reason}`;
};

describe('learned scores', () => {
  it('choose the best scored expert that there is, the best single one having its head start', () => {
    expect(home(territory(), turn(0.3, 0.5))).toBe('cheap learned');
    expect(home(territory(), turn(0.49, 0.5))).toBe('code learned');
    expect(home(territory(free, { headStart: Number.POSITIVE_INFINITY }), turn(0.1, 0.9))).toBe(
      'code learned',
    );
  });

  it('weigh price against score as far as the config says', () => {
    expect(home(territory({ score_per_cost: 20, score_per_second: 0 }), turn(0.6, 0.5))).toBe(
      'cheap learned',
    );
    expect(home(territory({ score_per_cost: 0, score_per_second: 0.2 }), turn(0.6, 0.5))).toBe(
      'cheap learned',
    );
    expect(home(territory({ score_per_cost: 5, score_per_second: 0 }), turn(0.6, 0.5))).toBe('code learned');
  });

  it('count beside what texts claim, as far as was learned', () => {
    const claims = claimsOf(
      ['cheap', 'code', 'unscored'].map((id) => ({
        texts: id === 'unscored' ? [] : [{ text: id, kind: 'sample', vector: TEXTS[id]! }],
        fallback: false,
      })),
      [],
      2,
    );
    const experts = ['cheap', 'code', 'unscored'];
    const choiceWith = (weight: number | null, said: Float32Array) => {
      const counted = weight === null ? {} : { claims: { weight, means: [0.5, 0.5, 0] } };
      const learned = learnedOf({ ...quality, ...counted }, experts, new Set(), free, claims)!;
      return experts[learnedChoice(learned, { cluster: 0, vector: said })!.expert];
    };
    // `code` leads by 0.1 for any vector with nothing in the ridge regression's favour of `cheap`.
    const cheap = Float32Array.of(0, 0.05);
    expect(choiceWith(null, cheap)).toBe('code');
    expect(choiceWith(0, cheap)).toBe('code');
    expect(choiceWith(5, cheap)).toBe('cheap');
    expect(choiceWith(5, Float32Array.of(0.05, 0))).toBe('code');
  });

  it('leave alone what is pinned, what is outside, and models that learned nothing', () => {
    expect(home(territory(free, {}, [0]), turn(0.9, 0.1))).toBe('unscored nearest-cluster');
    expect(home(territory(), turn(0.9, 0.1, { outside: true }))).toBe('unscored outside');
    expect(home(territory(), simulated(turn(0.9, 0.1)))).toBe('unscored nearest-cluster');
    expect(learnedOf(quality, ['nobody'], new Set(), free)).toBeNull();
  });

  it('are affinities: exp(−lost score / unit), nothing for experts without scores', () => {
    const { ranking } = decide(
      territory(),
      [turn(0.4, 0.6)],
      [idleLoad, idleLoad, idleLoad],
      bindPolicy(nearest),
      {
        request: { promptTokens: 1, outputTokens: 1, prefixKey: null, priority: 0, deadline: 1 },
        random: 0,
        sequence: 0,
      },
    );
    expect(ranking.map(({ expert }) => expert)).toEqual(['cheap', 'code', 'unscored']);
    expect(ranking[1]!.affinity).toBeCloseTo(Math.exp(-2), 6);
    expect(ranking[2]!.affinity).toBe(0);
  });

  it('keep a conversation where it is unless a turn loses most of a unit by it', () => {
    expect(home(territory(), turn(0.6, 0.3), turn(0.5, 0.53))).toBe('code conversation');
    expect(home(territory(), turn(0.6, 0.3), turn(0.3, 0.55))).toBe('cheap learned');
  });
});
