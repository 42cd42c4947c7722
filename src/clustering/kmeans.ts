/**
 * Lloyd's k-means with Hamerly's bounds: most points prove by two numbers that their cluster has not changed. It
 * knows nothing of what the points are; equal seeds give equal results bit for bit.
 */
import type { Random } from '../core/random.ts';
import { seedCentroids } from './seeding.ts';

/** n points of `dimensions` each, row-major. */
export interface Points {
  readonly values: Float32Array;
  readonly count: number;
  readonly dimensions: number;
}

export interface Clustering {
  /** k × dimensions. */
  readonly centroids: Float32Array;
  readonly labels: Uint32Array;
  /** Sum of squared distances of the points to their centroids. */
  readonly inertia: number;
  readonly iterations: number;
}

export interface KMeansOptions {
  readonly clusters: number;
  readonly restarts?: number;
  readonly maxIterations?: number;
  /** Stops when no centroid moved further than this. */
  readonly tolerance?: number;
  /** k × dimensions to start from, instead of seeding; one run, no restarts. */
  readonly start?: Float32Array;
}

/** Best of several runs by inertia. Clusters must not exceed the points. */
export function kMeans(points: Points, options: KMeansOptions, random: Random): Clustering {
  if (options.start) return lloyd(points, Float32Array.from(options.start), options, random);
  let best: Clustering | undefined;
  for (let run = 0; run < (options.restarts ?? 4); run += 1) {
    const own = random.fork(run);
    const result = lloyd(points, seedCentroids(points, options.clusters, own), options, own);
    if (!best || result.inertia < best.inertia) best = result;
  }
  return best!;
}

export function lloyd(
  points: Points,
  centroids: Float32Array,
  options: KMeansOptions,
  random: Random,
): Clustering {
  const run = new Lloyd(points, centroids);
  const most = options.maxIterations ?? 100;
  let iterations = 0;
  let moved = Number.POSITIVE_INFINITY;
  while (iterations < most && moved > (options.tolerance ?? 1e-4)) {
    run.assign();
    moved = run.update(random);
    iterations += 1;
  }
  run.assignFully();
  return { centroids: run.centroids, labels: run.labels, inertia: run.inertia(), iterations };
}

class Lloyd {
  readonly centroids: Float32Array;
  readonly labels: Uint32Array;
  private readonly points: Points;
  private readonly clusters: number;
  /** Upper bound of the distance to the own centroid, lower bound of the one to any other. */
  private readonly upper: Float32Array;
  private readonly lower: Float32Array;
  private fresh = true;

  constructor(points: Points, centroids: Float32Array) {
    this.points = points;
    this.centroids = centroids;
    this.clusters = centroids.length / points.dimensions;
    this.labels = new Uint32Array(points.count);
    this.upper = new Float32Array(points.count);
    this.lower = new Float32Array(points.count);
  }

  assignFully(): void {
    this.fresh = true;
    this.assign();
  }

  assign(): void {
    const { points, upper, lower, labels } = this;
    const half = this.halfGaps();
    for (let point = 0; point < points.count; point += 1) {
      if (!this.fresh) {
        const bound = Math.max(half[labels[point]!]!, lower[point]!);
        if (upper[point]! <= bound) continue;
        upper[point] = this.distance(point, labels[point]!);
        if (upper[point]! <= bound) continue;
      }
      this.scan(point);
    }
    this.fresh = false;
  }

  private distance(point: number, cluster: number): number {
    const { values, dimensions } = this.points;
    let sum = 0;
    const a = point * dimensions;
    const b = cluster * dimensions;
    for (let j = 0; j < dimensions; j += 1) {
      const difference = values[a + j]! - this.centroids[b + j]!;
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  private scan(point: number): void {
    const { values, dimensions } = this.points;
    const { centroids, clusters } = this;
    const a = point * dimensions;
    let first = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    let label = 0;
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      const b = cluster * dimensions;
      let sum = 0;
      for (let j = 0; j < dimensions; j += 1) {
        const difference = values[a + j]! - centroids[b + j]!;
        sum += difference * difference;
      }
      if (sum < first) {
        second = first;
        first = sum;
        label = cluster;
      } else if (sum < second) second = sum;
    }
    this.labels[point] = label;
    this.upper[point] = Math.sqrt(first);
    this.lower[point] = Math.sqrt(second);
  }

  /** Half the distance of every centroid to its nearest neighbour. */
  private halfGaps(): Float64Array {
    const { centroids, clusters } = this;
    const { dimensions } = this.points;
    const half = new Float64Array(clusters).fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < clusters; i += 1) {
      for (let j = i + 1; j < clusters; j += 1) {
        let sum = 0;
        for (let m = 0; m < dimensions; m += 1) {
          sum += (centroids[i * dimensions + m]! - centroids[j * dimensions + m]!) ** 2;
        }
        const gap = Math.sqrt(sum) / 2;
        if (gap < half[i]!) half[i] = gap;
        if (gap < half[j]!) half[j] = gap;
      }
    }
    return half;
  }

  /** Moves the centroids to their means, re-seeds empty ones, loosens the bounds; returns the longest move. */
  update(random: Random): number {
    const { points, labels, centroids, clusters } = this;
    const { values, dimensions } = points;
    const sums = new Float64Array(clusters * dimensions);
    const sizes = new Uint32Array(clusters);
    for (let point = 0; point < points.count; point += 1) {
      const label = labels[point]!;
      sizes[label]! += 1;
      const a = point * dimensions;
      const b = label * dimensions;
      for (let j = 0; j < dimensions; j += 1) sums[b + j]! += values[a + j]!;
    }
    const moves = new Float64Array(clusters);
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      if (sizes[cluster] === 0) this.reseed(cluster, sums, sizes, random);
      moves[cluster] = this.moveTo(cluster, sums, sizes[cluster]!);
    }
    return this.loosen(moves, centroids.length > 0);
  }

  private moveTo(cluster: number, sums: Float64Array, size: number): number {
    const { dimensions } = this.points;
    let moved = 0;
    for (let j = cluster * dimensions; j < (cluster + 1) * dimensions; j += 1) {
      const next = Math.fround(sums[j]! / size);
      moved += (next - this.centroids[j]!) ** 2;
      this.centroids[j] = next;
    }
    return Math.sqrt(moved);
  }

  /** An empty cluster starts again at a point far from its own centroid, which it takes out of that cluster. */
  private reseed(cluster: number, sums: Float64Array, sizes: Uint32Array, random: Random): void {
    const { points, upper, labels } = this;
    let far = random.below(points.count);
    for (let point = 0; point < points.count; point += 1) {
      if (sizes[labels[point]!]! > 1 && upper[point]! > upper[far]!) far = point;
    }
    const from = labels[far]!;
    for (let j = 0; j < points.dimensions; j += 1) {
      const value = points.values[far * points.dimensions + j]!;
      if (sizes[from]! > 1) sums[from * points.dimensions + j]! -= value;
      sums[cluster * points.dimensions + j] = value;
    }
    if (sizes[from]! > 1) sizes[from]! -= 1;
    sizes[cluster] = 1;
    labels[far] = cluster;
    upper[far] = 0;
    this.lower[far] = 0;
  }

  private loosen(moves: Float64Array, any: boolean): number {
    let longest = 0;
    let next = 0;
    let which = 0;
    for (let cluster = 0; cluster < moves.length; cluster += 1) {
      if (moves[cluster]! > longest) {
        next = longest;
        longest = moves[cluster]!;
        which = cluster;
      } else if (moves[cluster]! > next) next = moves[cluster]!;
    }
    for (let point = 0; point < this.points.count; point += 1) {
      const label = this.labels[point]!;
      this.upper[point]! += moves[label]!;
      this.lower[point]! -= label === which ? next : longest;
    }
    return any ? longest : 0;
  }

  inertia(): number {
    let sum = 0;
    for (let point = 0; point < this.points.count; point += 1) sum += this.upper[point]! ** 2;
    return sum;
  }
}
