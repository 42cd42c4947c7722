import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { onThisThread } from '../../core/tasks.ts';
import { kMeans } from './kmeans.ts';
import type { Points } from './points.ts';

function blobs(seed: number, centres: number, each: number, spread: number): Points {
  const random = seededRandom(seed);
  const values = new Float32Array(centres * each * 2);
  for (let point = 0; point < centres * each; point += 1) {
    const angle = (2 * Math.PI * (point % centres)) / centres;
    values[2 * point] = Math.cos(angle) + spread * random.normal();
    values[2 * point + 1] = Math.sin(angle) + spread * random.normal();
  }
  return { values, count: centres * each, dimensions: 2 };
}

describe('k-means', () => {
  it('finds well-separated clusters', async () => {
    const points = blobs(1, 5, 40, 0.05);
    const { labels } = await kMeans(points, { clusters: 5 }, seededRandom(2), onThisThread);
    for (let point = 5; point < points.count; point += 1) expect(labels[point]).toBe(labels[point % 5]);
    expect(new Set(labels).size).toBe(5);
  });

  it('ends where every point is with its nearest centroid: the bounds never skip wrongly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 12 }),
        async (seed, clusters) => {
          const points = blobs(seed, 7, 12, 0.5);
          const { centroids, labels, inertia } = await kMeans(
            points,
            { clusters, restarts: 1 },
            seededRandom(seed),
            onThisThread,
          );
          let sum = 0;
          for (let point = 0; point < points.count; point += 1) {
            const gaps = Array.from({ length: clusters }, (_, c) =>
              Math.hypot(
                points.values[2 * point]! - centroids[2 * c]!,
                points.values[2 * point + 1]! - centroids[2 * c + 1]!,
              ),
            );
            const nearest = Math.min(...gaps);
            expect(gaps[labels[point]!]).toBeCloseTo(nearest, 5);
            sum += nearest ** 2;
          }
          expect(inertia).toBeCloseTo(sum, 3);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives the same result bit for bit for the same seed', async () => {
    const points = blobs(9, 6, 30, 0.4);
    const once = await kMeans(points, { clusters: 6 }, seededRandom(4), onThisThread);
    const again = await kMeans(points, { clusters: 6 }, seededRandom(4), onThisThread);
    expect(again.centroids).toEqual(once.centroids);
    expect(again.inertia).toBe(once.inertia);
  });

  it('leaves no cluster empty while there are points enough', async () => {
    const points = blobs(3, 3, 30, 0.01);
    const start = new Float32Array([5, 5, 6, 6, 7, 7, 8, 8]);
    const { labels } = await kMeans(points, { clusters: 4, start }, seededRandom(4), onThisThread);
    expect(new Set(labels).size).toBe(4);
  });

  it('holds clusters to equal sizes when asked, where it would not by itself', async () => {
    const dense = blobs(5, 1, 200, 0.05);
    const sparse = blobs(6, 4, 10, 0.05);
    const points = {
      values: Float32Array.from([...dense.values, ...sparse.values.map((value) => value - 4)]),
      count: 240,
      dimensions: 2,
    };
    const largest = async (balanced: boolean): Promise<number> => {
      const { labels } = await kMeans(points, { clusters: 4, balanced }, seededRandom(1), onThisThread);
      return Math.max(...[0, 1, 2, 3].map((cluster) => labels.filter((label) => label === cluster).length));
    };
    expect(await largest(true)).toBe(60);
    expect(await largest(false)).toBeGreaterThan(60);
  });
});
