/**
 * k-means: several seeded runs of Lloyd's algorithm, of which the best is kept. Equal points, options and random stream
 * give bit-identical results on any number of threads.
 */
import { type Random, seededRandom } from '../../core/random.ts';
import { type TaskRunner, task } from '../../core/tasks.ts';
import { balancedKMeans } from './balanced.ts';
import { Lloyd } from './lloyd.ts';
import { type Clustering, type Points, rowsOf } from './points.ts';
import { seedCentroids } from './seeding.ts';

export interface KMeansOptions extends RunOptions {
  /** Number of runs, of which the best is kept; 4 when absent. */
  readonly restarts?: number;
  /** Called after each run. */
  readonly onRun?: (done: number, total: number) => void;
}

interface RunOptions {
  /** Must not exceed the number of points. */
  readonly clusters: number;
  readonly maxIterations?: number;
  /** Stops when no centroid moved further than this. */
  readonly tolerance?: number;
  /** k × dimensions to start from, instead of seeding; one run, no restarts. */
  readonly start?: Float32Array;
  /** Holds every cluster to its even share of the points while training (c-BTM, arXiv 2303.14177); one run. */
  readonly balanced?: boolean;
}

/** Runs are compared on at most this many points; the best then continues on all of them. */
const POINTS_PER_RUN = 20_000;
/** The best run has nearly converged before it sees all points. */
const LAST_RUN = { maxIterations: 12, tolerance: 1e-3 };

/** The best of `restarts` runs, each with its own seeding. */
export async function kMeans(
  points: Points,
  { restarts = 4, onRun, ...options }: KMeansOptions,
  random: Random,
  tasks: TaskRunner,
): Promise<Clustering> {
  const run = (on: Points, name: string, own: RunOptions): Promise<Clustering> =>
    tasks.run(oneRun, { points: on, options: own, seed: random.fork(name).below(2 ** 31) });
  if (options.start || options.balanced) return run(points, 'only run', options);
  const drawn = thinned(points, random.fork('thinning'));
  let done = 0;
  const runs = await Promise.all(
    Array.from({ length: restarts }, async (_, index) => {
      const result = await run(drawn, `run ${index}`, options);
      done += 1;
      onRun?.(done, restarts);
      return result;
    }),
  );
  const best = runs.reduce((a, b) => (b.inertia < a.inertia ? b : a));
  if (drawn === points) return best;
  return run(points, 'last run', { ...options, ...LAST_RUN, start: best.centroids });
}

/** All points, or a uniform sample if there are very many. */
function thinned(points: Points, random: Random): Points {
  if (points.count <= POINTS_PER_RUN) return points;
  return rowsOf(
    points,
    Uint32Array.from({ length: POINTS_PER_RUN }, () => random.below(points.count)),
  );
}

interface Run {
  readonly points: Points;
  readonly options: RunOptions;
  readonly seed: number;
}

export const oneRun = task(import.meta.url, 'oneRun', ({ points, options, seed }: Run): Clustering => {
  const random = seededRandom(seed);
  const centroids = options.start
    ? Float32Array.from(options.start)
    : seedCentroids(points, options.clusters, random);
  if (options.balanced) return balancedKMeans(points, centroids, options.maxIterations ?? 20);
  const lloyd = new Lloyd(points, centroids);
  let iterations = 0;
  let moved = Number.POSITIVE_INFINITY;
  while (iterations < (options.maxIterations ?? 100) && moved > (options.tolerance ?? 5e-4)) {
    lloyd.assign();
    moved = lloyd.update(random);
    iterations += 1;
  }
  const inertia = lloyd.assignFully();
  return { centroids, labels: lloyd.labels, inertia, iterations };
});
