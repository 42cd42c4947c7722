/**
 * k-means: several seeded runs of Lloyd's algorithm, the best of which counts. It knows nothing of what the points
 * are; equal points, options and seed give equal results bit for bit.
 */
import type { Random } from '../../core/random.ts';
import { balancedKMeans } from './balanced.ts';
import { Lloyd } from './lloyd.ts';
import { type Clustering, type Points, rowsOf } from './points.ts';
import { seedCentroids } from './seeding.ts';

export interface KMeansOptions {
  /** Must not exceed the points. */
  readonly clusters: number;
  readonly restarts?: number;
  readonly maxIterations?: number;
  /** Stops when no centroid moved further than this. */
  readonly tolerance?: number;
  /** k × dimensions to start from, instead of seeding; one run, no restarts. */
  readonly start?: Float32Array;
  /** Holds every cluster to its even share of the points while training (c-BTM, arXiv 2303.14177). */
  readonly balanced?: boolean;
}

/** Restarts compare starts on at most this many points, the best of them then runs on all. */
const POINTS_PER_RESTART = 20_000;

export function kMeans(points: Points, options: KMeansOptions, random: Random): Clustering {
  if (options.balanced) {
    const start = options.start ?? seedCentroids(thinned(points, random), options.clusters, random);
    return balancedKMeans(points, Float32Array.from(start), options.maxIterations ?? 20);
  }
  if (options.start) return runLloyd(points, Float32Array.from(options.start), options, random);
  const thin = thinned(points, random.fork(-1));
  let best: Clustering | undefined;
  for (let run = 0; run < (options.restarts ?? 4); run += 1) {
    const own = random.fork(run);
    const result = runLloyd(thin, seedCentroids(thin, options.clusters, own), options, own);
    if (!best || result.inertia < best.inertia) best = result;
  }
  return thin === points ? best! : runLloyd(points, best!.centroids, options, random);
}

/** All points, or an even draw of them where they are very many. */
export function thinned(points: Points, random: Random): Points {
  if (points.count <= POINTS_PER_RESTART) return points;
  return rowsOf(
    points,
    Uint32Array.from({ length: POINTS_PER_RESTART }, () => random.below(points.count)),
  );
}

/** One run from the given centroids, which are moved in place. */
export function runLloyd(
  points: Points,
  centroids: Float32Array,
  options: Pick<KMeansOptions, 'maxIterations' | 'tolerance'>,
  random: Random,
): Clustering {
  const run = new Lloyd(points, centroids);
  const most = options.maxIterations ?? 100;
  let iterations = 0;
  let moved = Number.POSITIVE_INFINITY;
  while (iterations < most && moved > (options.tolerance ?? 5e-4)) {
    run.assign();
    moved = run.update(random);
    iterations += 1;
  }
  const inertia = run.assignFully();
  return { centroids: run.centroids, labels: run.labels, inertia, iterations };
}
