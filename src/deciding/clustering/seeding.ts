/**
 * First centroids by greedy k-means++: each is drawn with probability proportional to its squared distance from those
 * already chosen, and the best of a few draws is kept.
 */
import type { Random } from '../../core/random.ts';
import { squaredDistance } from './distances.ts';
import { type Points, rowsOf } from './points.ts';

/** Initial centroids are chosen among this many points; Lloyd's algorithm then uses all of them. */
const MOST_POINTS = 6_000;

/** k × dimensions (Arthur & Vassilvitskii 2007; 2 + ln k candidates a step as in their section 6). */
export function seedCentroids(all: Points, clusters: number, random: Random): Float32Array {
  const points = drawnFrom(all, Math.max(MOST_POINTS, clusters * 20), random);
  const { values, count, dimensions } = points;
  const centroids = new Float32Array(clusters * dimensions);
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const candidates = 2 + Math.floor(Math.log(clusters));
  let chosen = random.below(count);
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    if (cluster > 0) chosen = bestDraw(points, nearest, candidates, random);
    centroids.set(values.subarray(chosen * dimensions, (chosen + 1) * dimensions), cluster * dimensions);
    for (let point = 0; point < count; point += 1) {
      nearest[point] = Math.min(nearest[point]!, between(points, point, chosen));
    }
  }
  return centroids;
}

function bestDraw(points: Points, nearest: Float64Array, candidates: number, random: Random): number {
  let total = 0;
  for (const value of nearest) total += value;
  let best = random.below(points.count);
  let bestPotential = Number.POSITIVE_INFINITY;
  for (let draw = 0; draw < candidates; draw += 1) {
    const candidate = drawProportional(nearest, total, random);
    let potential = 0;
    for (let point = 0; point < points.count; point += 1) {
      potential += Math.min(nearest[point]!, between(points, point, candidate));
    }
    if (potential < bestPotential) {
      bestPotential = potential;
      best = candidate;
    }
  }
  return best;
}

function drawProportional(weights: Float64Array, total: number, random: Random): number {
  let left = random.next() * total;
  for (let index = 0; index < weights.length; index += 1) {
    left -= weights[index]!;
    if (left < 0) return index;
  }
  return random.below(weights.length);
}

function between({ values, dimensions }: Points, a: number, b: number): number {
  return squaredDistance(values, a * dimensions, values, b * dimensions, dimensions);
}

function drawnFrom(points: Points, most: number, random: Random): Points {
  if (points.count <= most) return points;
  return rowsOf(
    points,
    Uint32Array.from({ length: most }, () => random.below(points.count)),
  );
}
