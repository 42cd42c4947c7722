import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { balancedLabels } from './balanced.ts';
import { applyBatch, measureBatch } from './mini-batch.ts';
import { adjustedRandIndex, normalisedMutualInformation, purity, simplifiedSilhouette } from './quality.ts';

// The expected numbers are scikit-learn 1.9's for the same labels (normalized_mutual_info_score, adjusted_rand_score).
const A = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
const B = [0, 0, 1, 1, 1, 2, 2, 2, 2, 0];

describe('quality measures', () => {
  it('agree with the reference', () => {
    expect(normalisedMutualInformation(A, B)).toBeCloseTo(0.4427013, 6);
    expect(adjustedRandIndex(A, B)).toBeCloseTo(0.2045455, 6);
    expect(purity(A, B)).toBeCloseTo(0.7, 12);
  });

  it('are one for the same clusters under other numbers, and about zero for chance', () => {
    const renamed = A.map((label) => (label + 1) % 3);
    expect(normalisedMutualInformation(A, renamed)).toBeCloseTo(1, 12);
    expect(adjustedRandIndex(A, renamed)).toBeCloseTo(1, 12);
    const random = seededRandom(1);
    const x = Array.from({ length: 4_000 }, () => random.below(5));
    const y = Array.from({ length: 4_000 }, () => random.below(5));
    expect(Math.abs(adjustedRandIndex(x, y))).toBeLessThan(0.01);
  });

  it('call distant tight clusters crisp', () => {
    const values = Float32Array.from([0, 0, 0, 0.1, 9, 9, 9, 9.1]);
    const points = { values, count: 4, dimensions: 2 };
    expect(simplifiedSilhouette(points, Float32Array.from([0, 0.05, 9, 9.05]))).toBeGreaterThan(0.98);
  });
});

describe('balanced assignment', () => {
  it('never exceeds its share, and gives way where it costs least', () => {
    const random = seededRandom(7);
    const count = 300;
    const values = Float32Array.from({ length: count * 2 }, () => random.normal());
    const centroids = Float32Array.from([0, 0, 3, 3, -3, 3]);
    const labels = balancedLabels({ values, count, dimensions: 2 }, centroids);
    const sizes = [0, 1, 2].map((cluster) => labels.filter((label) => label === cluster).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    const xOf = (cluster: number): number =>
      labels.reduce((sum, label, point) => sum + (label === cluster ? values[2 * point]! : 0), 0) / 100;
    expect(xOf(1)).toBeGreaterThan(xOf(0));
    expect(xOf(0)).toBeGreaterThan(xOf(2));
  });
});

describe('mini-batches', () => {
  it('move a centroid to the mean of all its points, in whatever pieces they come', () => {
    const random = seededRandom(3);
    const values = Float32Array.from({ length: 600 }, () => 5 + random.normal());
    const centroids = Float32Array.from([0, 0, -50, -50]);
    const weights = new Float64Array(2);
    for (let from = 0; from < 600; from += 100) {
      const batch = { values: values.subarray(from, from + 100), count: 50, dimensions: 2 };
      applyBatch(centroids, weights, measureBatch(batch, centroids));
    }
    const mean = values.filter((_, at) => at % 2 === 0).reduce((sum, value) => sum + value, 0) / 300;
    expect(centroids[0]).toBeCloseTo(mean, 3);
    expect([...centroids.slice(2)]).toEqual([-50, -50]);
  });
});
