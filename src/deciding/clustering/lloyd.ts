/**
 * One run of Lloyd's algorithm from given centroids, with Hamerly's bounds (SDM 2010): for most points, two bounds
 * prove that their cluster has not changed.
 */
import type { Random } from '../../core/random.ts';
import { halfGaps, squaredDistance } from './distances.ts';
import { NearestCentroid } from './nearest.ts';
import type { Points } from './points.ts';

export class Lloyd {
  readonly centroids: Float32Array;
  readonly labels: Uint32Array;
  readonly #points: Points;
  readonly #clusters: number;
  /** Upper bound of the distance to the own centroid, lower bound of the one to any other. */
  readonly #upper: Float64Array;
  readonly #lower: Float64Array;
  /** Of the points of every cluster, kept as points change theirs. */
  readonly #sums: Float64Array;
  readonly #sizes: Uint32Array;
  #fresh = true;

  /** The centroids are moved in place. */
  constructor(points: Points, centroids: Float32Array) {
    this.#points = points;
    this.centroids = centroids;
    this.#clusters = centroids.length / points.dimensions;
    this.labels = new Uint32Array(points.count);
    this.#upper = new Float64Array(points.count);
    this.#lower = new Float64Array(points.count);
    this.#sums = new Float64Array(centroids.length);
    this.#sizes = new Uint32Array(this.#clusters);
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
    const nearest = new NearestCentroid(this.centroids, dimensions);
    for (let point = 0; point < count; point += 1) {
      if (!this.#fresh) {
        const label = labels[point]!;
        const bound = Math.max(half[label]!, lower[point]!);
        if (upper[point]! <= bound) continue;
        const at = point * dimensions;
        upper[point] = Math.sqrt(squaredDistance(values, at, this.centroids, label * dimensions, dimensions));
        if (upper[point]! <= bound) continue;
      }
      nearest.find(values, point * dimensions);
      if (!this.#fresh) this.#move(point, labels[point]!, nearest.cluster);
      labels[point] = nearest.cluster;
      upper[point] = Math.sqrt(nearest.first);
      lower[point] = Math.sqrt(nearest.second);
    }
    if (this.#fresh) this.#sumAll();
    this.#fresh = false;
  }

  #sumAll(): void {
    this.#sums.fill(0);
    this.#sizes.fill(0);
    for (const [point, label] of this.labels.entries()) this.#add(point, label, 1);
  }

  #move(point: number, from: number, to: number): void {
    if (from === to) return;
    this.#add(point, from, -1);
    this.#add(point, to, 1);
  }

  /** @param sign 1, or -1 to take it out */
  #add(point: number, cluster: number, sign: number): void {
    const { values, dimensions } = this.#points;
    const at = point * dimensions;
    const to = cluster * dimensions;
    this.#sizes[cluster]! += sign;
    for (let j = 0; j < dimensions; j += 1) this.#sums[to + j]! += sign * values[at + j]!;
  }

  /** Moves the centroids to the means of their points, re-seeds empty ones; returns the longest move. */
  update(random: Random): number {
    const clusters = this.#clusters;
    const moves = new Float64Array(clusters);
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      if (this.#sizes[cluster] === 0) this.#reseed(cluster, random);
    }
    for (let cluster = 0; cluster < clusters; cluster += 1) moves[cluster] = this.#moveToMean(cluster);
    return this.#loosen(moves);
  }

  #moveToMean(cluster: number): number {
    const { dimensions } = this.#points;
    const size = this.#sizes[cluster]!;
    let moved = 0;
    for (let j = cluster * dimensions; j < (cluster + 1) * dimensions; j += 1) {
      // A cluster that lost its only point to an empty one stays where it is.
      const next = size === 0 ? this.centroids[j]! : Math.fround(this.#sums[j]! / size);
      moved += (next - this.centroids[j]!) ** 2;
      this.centroids[j] = next;
    }
    return Math.sqrt(moved);
  }

  /** An empty cluster starts again at the point furthest from its centroid, which leaves the cluster it was in. */
  #reseed(cluster: number, random: Random): void {
    const { labels } = this;
    const points = this.#points;
    const upper = this.#upper;
    let far = random.below(points.count);
    for (let point = 0; point < points.count; point += 1) {
      if (this.#sizes[labels[point]!]! > 1 && upper[point]! > upper[far]!) far = point;
    }
    this.#move(far, labels[far]!, cluster);
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
