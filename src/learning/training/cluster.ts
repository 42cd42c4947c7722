/** Fits a model's centroids to the sampled points, then refines them on all prompts. */
import type { Random } from '../../core/random.ts';
import { inOrder, type TaskRunner, type TextBatch, task } from '../../core/tasks.ts';
import { labelsOf, meanSquaredDistance } from '../../deciding/clustering/distances.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import { applyBatch, type BatchSums, measureBatch } from '../../deciding/clustering/mini-batch.ts';
import { type Clustering, distinctPoints, type Points } from '../../deciding/clustering/points.ts';
import { embedBatch, type PortableEmbedding, portable } from '../../deciding/embedding/batch.ts';
import type { AnyEmbedding } from '../../deciding/embedding/embedding.ts';
import { startFrom } from './continue.ts';
import type { PromptStore } from './prompt-store.ts';

export interface ClusterOptions {
  /** Number of clusters; fewer if there are fewer distinct points and no `oldLabels`. */
  readonly clusters: number;
  readonly restarts: number;
  readonly balanced?: boolean;
  /** An old model's cluster of every point: the new clusters start there and keep their numbers. */
  readonly oldLabels?: Uint32Array | undefined;
}

export function clusterPoints(
  points: Points,
  { clusters, restarts, balanced = false, oldLabels }: ClusterOptions,
  random: Random,
  tasks: TaskRunner,
  onRun: (done: number, total: number) => void,
): Promise<Clustering> {
  const options = oldLabels
    ? { clusters, balanced, start: startFrom(points, oldLabels, clusters, random.fork('stray clusters')) }
    : { clusters: Math.max(1, distinctPoints(points, clusters)), balanced, restarts, onRun };
  return kMeans(points, options, random, tasks);
}

/**
 * Batches measured against the same centroids before these move: enough to occupy every thread, few enough to converge.
 */
const BATCHES_PER_STEP = 16;

/** Refines the centroids on all prompts of the store, batch by batch; labels and inertia refer to the points. */
export async function refineOnAll(
  store: PromptStore,
  embedding: AnyEmbedding,
  clustering: Clustering,
  points: Points,
  tasks: TaskRunner,
  onProgress: (done: number, total: number) => void,
): Promise<Clustering> {
  const sent = portable(embedding);
  const centroids = Float32Array.from(clustering.centroids);
  const weights = new Float64Array(centroids.length / points.dimensions);
  for (const label of clustering.labels) weights[label]! += 1;
  for (let from = 0; from < store.batches; from += BATCHES_PER_STEP) {
    const size = Math.min(BATCHES_PER_STEP, store.batches - from);
    const fixed = Float32Array.from(centroids);
    await inOrder(
      tasks,
      size,
      async (index) => {
        const batch = await store.read(from + index);
        return tasks.run(measure, { embedding: sent, batch, centroids: fixed });
      },
      (sums) => applyBatch(centroids, weights, sums),
    );
    onProgress(from + size, store.batches);
  }
  return {
    centroids,
    labels: labelsOf(points, centroids),
    inertia: meanSquaredDistance(points, centroids) * points.count,
    iterations: clustering.iterations + 1,
  };
}

interface Measurement {
  readonly embedding: PortableEmbedding;
  readonly batch: TextBatch;
  readonly centroids: Float32Array;
}

/** Embeds a batch and measures it against the centroids. */
export const measure = task(
  import.meta.url,
  'measure',
  async ({ embedding, batch, centroids }: Measurement): Promise<BatchSums> =>
    measureBatch(await embedBatch(embedding, batch), centroids),
);
