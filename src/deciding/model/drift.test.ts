import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { driftOf, RecentShares } from './drift.ts';

const random = seededRandom(7);

/** How many of `n` draws fall into each cluster. */
function drawn(weights: readonly number[], n: number): number[] {
  const whole = weights.reduce((sum, one) => sum + one, 0);
  const counts = weights.map(() => 0);
  for (let i = 0; i < n; i++) {
    let left = random.next() * whole;
    let cluster = 0;
    while (cluster < weights.length - 1 && left >= weights[cluster]!) left -= weights[cluster++]!;
    counts[cluster]! += 1;
  }
  return counts;
}

const trained = Array.from({ length: 64 }, (_, cluster) => 200 + 10 * cluster);

describe('drift', () => {
  it('is 0 for equal shares, and 1 for shares that have nothing in common', () => {
    expect(driftOf([10, 20], [100, 200], 0).distance).toBeCloseTo(0, 9);
    expect(driftOf([10, 0], [0, 200], 0).distance).toBeCloseTo(1, 9);
    // Half moved: 1 − (h(1/4) written out) in bits.
    const divergence =
      0.5 * (Math.log2(1 / 0.75) + 0.5 * Math.log2(0.5 / 0.75) + 0.5 * Math.log2(0.5 / 0.25));
    expect(driftOf([1000, 0], [500, 500], 0).distance).toBeCloseTo(Math.sqrt(divergence), 9);
  });

  it.each([300, 1_000, 20_000])(
    'of %i requests like those of training is below its bound, and near it',
    (n) => {
      const prompts = trained.reduce((sum, one) => sum + one, 0);
      const runs = Array.from({ length: 100 }, () => driftOf(drawn(trained, n), drawn(trained, prompts), 0));
      expect(runs.filter(({ distance, bound }) => distance > bound).length).toBeLessThan(3);
      expect(Math.max(...runs.map(({ distance }) => distance))).toBeGreaterThan(0.8 * runs[0]!.bound);
      if (n > 300) expect(runs.some(({ moved }) => moved)).toBe(false);
    },
  );

  it('is said where shares have moved by enough to matter, and not of a few requests', () => {
    const other = trained.map((weight, cluster) => (cluster < 8 ? 12 * weight : weight));
    expect(driftOf(drawn(other, 2_000), trained, 0).moved).toBe(true);
    expect(driftOf(drawn(other, 10), trained, 0).moved).toBe(false);
    const slightly = trained.map((weight, cluster) => (cluster < 8 ? 1.3 * weight : weight));
    const found = driftOf(drawn(slightly, 100_000), trained, 0);
    expect(found.distance).toBeGreaterThan(found.bound);
    expect(found.moved).toBe(false);
  });

  it('says where far more is outside than in training', () => {
    expect(driftOf([1_000], [1_000], 25).stranger).toBe(false);
    expect(driftOf([1_000], [1_000], 45).stranger).toBe(false);
    expect(driftOf([1_000], [1_000], 60)).toMatchObject({ stranger: true, outside: 0.06 });
    expect(driftOf([20], [1_000], 2).stranger).toBe(false);
  });

  it('finds no drift before the first request', () => {
    expect(driftOf([0, 0], [1, 1], 0)).toMatchObject({
      requests: 0,
      distance: 0,
      moved: false,
      stranger: false,
    });
  });

  it('forgets: after 30,000 requests of other topics the first 10,000 are hardly left', () => {
    const shares = new RecentShares([1, 1]);
    for (let n = 0; n < 10_000; n++) shares.note(0, true);
    for (let n = 0; n < 30_000; n++) shares.note(1, false);
    const { requests, outside } = shares.drift();
    expect(requests).toBeLessThan(10_000);
    expect(outside).toBeLessThan(0.02);
  });
});
