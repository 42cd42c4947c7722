/**
 * The centroids of a model: restarts spread over the threads, and, where prompts are too many to hold, a pass over all
 * of them in mini-batches. It knows nothing of names or calibration.
 */

import type { Random } from '../../core/random.ts';
import { type KMeansOptions, runLloyd, thinned } from '../../deciding/clustering/kmeans.ts';
import { applyBatch } from '../../deciding/clustering/mini-batch.ts';
import type { Clustering } from '../../deciding/clustering/points.ts';
import { distinctPoints, type Points } from '../../deciding/clustering/points.ts';
import type { Corpus } from './corpus.ts';
import { inOrder, type Pool } from './pool.ts';
import { labelsBy, meanSquaredDistance, shared } from './split.ts';
import type { FittedTerms, OnProgress } from './terms.ts';

export interface ClusterOptions {
  readonly restarts: number;
  readonly balanced?: boolean;
}

/** What was asked for, or as many as there are different points. */
export function possibleClusters(wanted: number, points: Points): number {
  return Math.max(1, Math.min(wanted, distinctPoints(points, wanted)));
}

export async function clusterPoints(
  points: Points,
  clusters: number,
  options: ClusterOptions,
  start: Float32Array | undefined,
  random: Random,
  pool: Pool,
  onProgress: OnProgress,
): Promise<Clustering> {
  const common: KMeansOptions = { clusters, restarts: 1, ...(options.balanced ? { balanced: true } : {}) };
  const seedOf = (run: number): number => random.fork(run).below(2 ** 31);
  if (start || options.balanced) {
    const only = { ...common, ...(start ? { start } : {}) };
    return pool.run('cluster', { points, options: only, seed: seedOf(0) });
  }
  const thin = thinned(points, random.fork(-1));
  const drawn = thin === points ? points : shared(thin);
  let done = 0;
  const runs = await Promise.all(
    Array.from({ length: options.restarts }, async (_, run) => {
      const result = await pool.run('cluster', { points: drawn, options: common, seed: seedOf(run) });
      done += 1;
      onProgress(done, options.restarts);
      return result;
    }),
  );
  const best = runs.reduce((a, b) => (b.inertia < a.inertia ? b : a));
  return drawn === points
    ? best
    : runLloyd(points, best.centroids, { maxIterations: 12, tolerance: 1e-3 }, random);
}

/** Batches measured against the same centroids before these move: enough for every thread, few enough to learn. */
const BATCHES_PER_STEP = 16;

/** Moves the centroids through all prompts of the corpus, a batch at a time; labels and inertia are of the points. */
export async function refineOnAll(
  corpus: Corpus,
  { vocabulary, projection }: FittedTerms,
  clustering: Clustering,
  points: Points,
  pool: Pool,
  onProgress: OnProgress,
): Promise<Clustering> {
  const { store } = corpus;
  const centroids = Float32Array.from(clustering.centroids);
  const weights = new Float64Array(centroids.length / points.dimensions);
  for (const label of clustering.labels) weights[label]! += 1;
  for (let from = 0; from < store.batches; from += BATCHES_PER_STEP) {
    const size = Math.min(BATCHES_PER_STEP, store.batches - from);
    const fixed = Float32Array.from(centroids);
    await inOrder(
      pool,
      size,
      async (index) =>
        pool.run('measure', {
          batch: await store.read(from + index),
          vocabulary,
          projection,
          centroids: fixed,
        }),
      (sums) => applyBatch(centroids, weights, sums),
    );
    onProgress(from + size, store.batches);
  }
  return {
    centroids,
    labels: labelsBy(points, centroids),
    inertia: meanSquaredDistance(points, centroids) * points.count,
    iterations: clustering.iterations + 1,
  };
}
