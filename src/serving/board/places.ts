/**
 * Where clusters lie on a flat map: positions whose distances are as near to those between the centroids as two
 * dimensions allow. They begin at the centroids' two principal components and are improved by stress majorisation
 * (SMACOF: de Leeuw, 1977; Borg & Groenen, Modern Multidimensional Scaling, 2005, chapter 8). Nothing is random.
 */
import type { RouterModel } from '../../deciding/model/router-model.ts';

type Model = Pick<RouterModel, 'centroids' | 'clusters' | 'dimensions' | 'squaredNorms'>;

/** Steps over all pairs that a layout may take: a fraction of a second. */
const MOST_PAIRS = 20_000_000;
const MOST_STEPS = 400;
const POWER_STEPS = 60;

/** @returns x and y of each cluster, the widest of both from −1 to 1 */
export function placesOf(model: Model): readonly (readonly [x: number, y: number])[] {
  const { clusters: n } = model;
  const wanted = distancesBetween(model);
  let places = principal(model);
  const steps = Math.min(MOST_STEPS, Math.floor(MOST_PAIRS / (n * n)));
  for (let step = 0; step < steps; step++) places = majorised(places, wanted, n);
  const reach = Math.max(1e-9, ...places.map(Math.abs));
  return Array.from({ length: n }, (_, i) => [places[2 * i]! / reach, places[2 * i + 1]! / reach]);
}

function distancesBetween({ centroids, clusters: n, dimensions, squaredNorms }: Model): Float64Array {
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      let dot = 0;
      for (let k = 0; k < dimensions; k++)
        dot += centroids[i * dimensions + k]! * centroids[j * dimensions + k]!;
      const distance = Math.sqrt(Math.max(0, squaredNorms[i]! + squaredNorms[j]! - 2 * dot));
      distances[i * n + j] = distance;
      distances[j * n + i] = distance;
    }
  return distances;
}

/** The two directions of the largest variance, by power iteration on the centred centroids. */
function principal({ centroids, clusters: n, dimensions: d }: Model): Float64Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) mean[k]! += centroids[i * d + k]! / n;
  const rows = Float64Array.from({ length: n * d }, (_, at) => centroids[at]! - mean[at % d]!);
  const places = new Float64Array(2 * n);
  for (const axis of [0, 1]) {
    let direction = Float64Array.from({ length: d }, (_, k) => 1 + ((k * 7 + axis * 3) % 11));
    let scores = new Float64Array(n);
    for (let step = 0; step < POWER_STEPS; step++) {
      scores = projected(rows, direction, n, d);
      direction = normalised(combined(rows, scores, n, d));
    }
    scores = projected(rows, direction, n, d);
    for (let i = 0; i < n; i++) {
      places[2 * i + axis] = scores[i]!;
      for (let k = 0; k < d; k++) rows[i * d + k]! -= scores[i]! * direction[k]!;
    }
  }
  return places;
}

function projected(
  rows: Float64Array,
  direction: Float64Array,
  n: number,
  d: number,
): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: n }, (_, i) => {
    let dot = 0;
    for (let k = 0; k < d; k++) dot += rows[i * d + k]! * direction[k]!;
    return dot;
  });
}

function combined(rows: Float64Array, scores: Float64Array, n: number, d: number): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) sum[k]! += scores[i]! * rows[i * d + k]!;
  return sum;
}

function normalised(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** One step of the Guttman transform: it never raises the stress. */
function majorised(places: Float64Array, wanted: Float64Array, n: number): Float64Array {
  const next = new Float64Array(2 * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const dx = places[2 * i]! - places[2 * j]!;
      const dy = places[2 * i + 1]! - places[2 * j + 1]!;
      const ratio = wanted[i * n + j]! / Math.max(Math.hypot(dx, dy), 1e-9);
      next[2 * i]! += (ratio * dx) / n;
      next[2 * i + 1]! += (ratio * dy) / n;
    }
  return next;
}
