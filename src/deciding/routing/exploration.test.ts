import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import type { Quality } from '../quality/quality.ts';
import { explored } from './exploration.ts';
import { learnedOf } from './learned.ts';
import { idleLoad } from './policy.ts';

/** Scores with these standard errors, wherever a prompt lies. */
function learned(scores: readonly number[], errors: readonly number[], pinned: readonly number[] = []) {
  const quality: Quality = {
    experts: scores.map((_, index) => `e${index}`),
    dimensions: 2,
    means: Float32Array.from(scores),
    variances: Float32Array.from(errors, (error) => error ** 2),
    chains: [],
    ridge: null,
    best: 0,
    headStart: 0,
    unit: 0.1,
    prices: scores.map(() => ({ cost: null, latency: null })),
    evidence: {} as Quality['evidence'],
  };
  return learnedOf(quality, ['e0', 'e1', 'e2'], new Set(pinned), { score_per_cost: 0, score_per_second: 0 });
}

const turn = { cluster: 0, distances: Float32Array.of(0), outside: false, vector: Float32Array.of(1, 0) };
const idle = [idleLoad, idleLoad, idleLoad];
const experts = ['e0', 'e1', 'e2'];

function shares(of: ReturnType<typeof learned> | null, loads = idle): number[] {
  const random = seededRandom(1);
  const counts = [0, 0, 0];
  for (let draw = 0; draw < 3_000; draw += 1)
    counts[experts.indexOf(explored({ experts, learned: of }, turn, loads, random)!)]! += 1 / 3_000;
  return counts;
}

describe('exploration', () => {
  it('tries experts as often as they may be the best', () => {
    const [sure, hopeless, open] = shares(learned([0.6, 0.3, 0.55], [0.01, 0.01, 0.1]));
    expect(hopeless).toBe(0);
    expect(open).toBeGreaterThan(0.2);
    expect(sure).toBeGreaterThan(0.5);
  });

  it('tries all alike where nothing is known, and the unscored more than the poor', () => {
    for (const share of shares(null)) expect(share).toBeCloseTo(1 / 3, 1);
    const [, poor, unscored] = shares(learned([0.6, 0.3], [0.01, 0.01]));
    expect(unscored).toBeGreaterThan(poor!);
  });

  it('leaves pinned clusters and what is down alone', () => {
    expect(
      explored({ experts, learned: learned([0.5, 0.5, 0.5], [1, 1, 1], [0]) }, turn, idle, seededRandom(1)),
    ).toBeNull();
    const down = { ...idleLoad, available: false };
    expect(shares(null, [down, idleLoad, down])).toEqual([0, expect.closeTo(1), 0]);
    expect(explored({ experts, learned: null }, turn, [down, down, down], seededRandom(1))).toBeNull();
  });
});
