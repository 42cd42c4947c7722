/**
 * One run of Lloyd's algorithm from given centroids, with Hamerly's bounds (SDM 2010): for most points, two bounds
 * prove that their cluster has not changed.
 */
import type { Random } from '../../core/random.ts';
import { findNearest, halfGaps, type Nearest, squaredDistance } from './distances.ts';
import type { Points } from './points.ts';

export class Lloyd {
  readonly centroids: Float32Array;
  readonly labels: Uint32Array;
  readonly #points: Points;
  readonly #clusters: number;
  /** Upper bound of the distance to the own centroid, lower bound of the one to any other. */
  readonly #upper: Float64Array;
  readonly #lower: Float64Array;
  readonly #nearest: Nearest = { cluster: 0, first: 0, second: 0 };
  #fresh = true;

  /** The centroids are moved in place. */
  constructor(points: Points, centroids: Float32Array) {
    this.#points = points;
    this.centroids = centroids;
    this.#clusters = centroids.length / points.dimensions;
    this.labels = new Uint32Array(points.count);
    this.#upper = new Float64Array(points.count);
    this.#lower = new Float64Array(points.count);
  }

  /** Assigns every point to its nearest centroid, ignoring the bounds; returns the sum of squared distances. */
  assignFully(): number {
    this.#fresh = true;
    this.assign();
    let inertia = 0;
    for (const distance of this.#upper) inertia += distance * distance;
    return inertia;
  }

  /** Assigns every point to its nearest centroid. */
  assign(): void {
    const { labels } = this;
    const upper = this.#upper;
    const lower = this.#lower;
    const { values, count, dimensions } = this.#points;
    const half = halfGaps(this.centroids, dimensions);
    for (let point = 0; point < count; point += 1) {
      if (!this.#fresh) {
        const label = labels[point]!;
        const bound = Math.max(half[label]!, lower[point]!);
        if (upper[point]! <= bound) continue;
        const at = point * dimensions;
        upper[point] = Math.sqrt(squaredDistance(values, at, this.centroids, label * dimensions, dimensions));
        if (upper[point]! <= bound) continue;
      }
      findNearest(values, point * dimensions, this.centroids, dimensions, this.#nearest);
      labels[point] = this.#nearest.cluster;
      upper[point] = Math.sqrt(this.#nearest.first);
      lower[point] = Math.sqrt(this.#nearest.second);
    }
    this.#fresh = false;
  }

  /** Moves the centroids to the means of their points, re-seeds empty ones; returns the longest move. */
  update(random: Random): number {
    const { labels } = this;
    const clusters = this.#clusters;
    const { values, count, dimensions } = this.#points;
    const sums = new Float64Array(clusters * dimensions);
    const sizes = new Uint32Array(clusters);
    for (let point = 0; point < count; point += 1) {
      const label = labels[point]!;
      sizes[label]! += 1;
      const from = point * dimensions;
      const to = label * dimensions;
      for (let j = 0; j < dimensions; j += 1) sums[to + j]! += values[from + j]!;
    }
    const moves = new Float64Array(clusters);
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      if (sizes[cluster] === 0) this.#reseed(cluster, sums, sizes, random);
    }
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      moves[cluster] = this.#moveTo(cluster, sums, sizes[cluster]!);
    }
    return this.#loosen(moves);
  }

  #moveTo(cluster: number, sums: Float64Array, size: number): number {
    const { dimensions } = this.#points;
    let moved = 0;
    for (let j = cluster * dimensions; j < (cluster + 1) * dimensions; j += 1) {
      const next = Math.fround(sums[j]! / size);
      moved += (next - this.centroids[j]!) ** 2;
      this.centroids[j] = next;
    }
    return Math.sqrt(moved);
  }

  /** An empty cluster starts again at the point furthest from its centroid, which leaves the cluster it was in. */
  #reseed(cluster: number, sums: Float64Array, sizes: Uint32Array, random: Random): void {
    const { labels } = this;
    const points = this.#points;
    const upper = this.#upper;
    const { values, dimensions } = points;
    let far = random.below(points.count);
    for (let point = 0; point < points.count; point += 1) {
      if (sizes[labels[point]!]! > 1 && upper[point]! > upper[far]!) far = point;
    }
    const from = labels[far]!;
    const shrinks = sizes[from]! > 1;
    for (let j = 0; j < dimensions; j += 1) {
      const value = values[far * dimensions + j]!;
      if (shrinks) sums[from * dimensions + j]! -= value;
      sums[cluster * dimensions + j] = value;
    }
    if (shrinks) sizes[from]! -= 1;
    sizes[cluster] = 1;
    labels[far] = cluster;
    upper[far] = 0;
    this.#lower[far] = 0;
  }

  #loosen(moves: Float64Array): number {
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
    for (let point = 0; point < this.#points.count; point += 1) {
      const label = this.labels[point]!;
      this.#upper[point]! += moves[label]!;
      this.#lower[point]! -= label === which ? next : longest;
    }
    return longest;
  }
}
