/**
 * First centroids by greedy k-means++: each is drawn with probability proportional to its squared distance from those
 * already chosen, and the best of a few draws is kept.
 */
import type { Random } from '../../core/random.ts';
import { DistanceTable } from './nearest.ts';
import { type Points, rowsOf } from './points.ts';

/** Initial centroids are chosen among this many points; Lloyd's algorithm then uses all of them. */
const MOST_POINTS = 6_000;

/** k × dimensions (Arthur & Vassilvitskii 2007; 2 + ln k candidates a step as in their section 6). */
export function seedCentroids(all: Points, clusters: number, random: Random): Float32Array {
  const points = drawnFrom(all, Math.max(MOST_POINTS, clusters * 20), random);
  const { values, count, dimensions } = points;
  const table = new DistanceTable(values, dimensions);
  const centroids = new Float32Array(clusters * dimensions);
  const candidates = 2 + Math.floor(Math.log(clusters));
  let nearest = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    const total = totalOf(nearest);
    const drawn = Array.from({ length: cluster === 0 ? 1 : candidates }, () =>
      cluster === 0 ? random.below(count) : drawProportional(nearest, total, random),
    );
    const best = bestOf(drawn, points, table, nearest);
    centroids.set(
      values.subarray(best.point * dimensions, (best.point + 1) * dimensions),
      cluster * dimensions,
    );
    nearest = best.nearest;
  }
  return centroids;
}

interface Best {
  readonly point: number;
  /** Squared distance of every point to the nearest of those chosen, this one included. */
  readonly nearest: Float32Array<ArrayBuffer>;
}

/** The candidate that leaves all points nearest to those chosen. */
function bestOf(
  candidates: readonly number[],
  { values, count, dimensions }: Points,
  table: DistanceTable,
  nearest: Float32Array,
): Best {
  let least = Number.POSITIVE_INFINITY;
  let best: Best | null = null;
  for (const point of candidates) {
    const distances = table.from(values, point * dimensions);
    let potential = 0;
    for (let one = 0; one < count; one += 1) potential += Math.min(nearest[one]!, distances[one]!);
    if (potential >= least && best !== null) continue;
    least = potential;
    best = { point, nearest: nearest.map((before, one) => Math.min(before, distances[one]!)) };
  }
  return best!;
}

function totalOf(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function drawProportional(weights: Float32Array, total: number, random: Random): number {
  let left = random.next() * total;
  for (let index = 0; index < weights.length; index += 1) {
    left -= weights[index]!;
    if (left < 0) return index;
  }
  return random.below(weights.length);
}

function drawnFrom(points: Points, most: number, random: Random): Points {
  if (points.count <= most) return points;
  return rowsOf(
    points,
    Uint32Array.from({ length: most }, () => random.below(points.count)),
  );
}
