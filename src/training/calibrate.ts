/**
 * What a margin is worth and where the known world ends, both learned from held-out prompts: confidence is how often
 * models fitted to resampled prompts agree with the decision. It knows nothing of texts.
 */
import { type Clustering, kMeans, type Points } from '../clustering/kmeans.ts';
import type { Random } from '../core/random.ts';
import { marginScore, twoNearest } from '../model/classify.ts';
import type { Embedded } from '../model/embed.ts';
import type { Calibration } from '../model/router-model.ts';

const REPLICAS = 6;
/** Held-out prompts beyond this distance, or below this share, are called outside: one in fifty each. */
const OUTSIDE_QUANTILE = 0.98;
const LEAST_FOR_OWN_RADIUS = 30;
const BINS = 12;

export function calibrate(
  points: Points,
  clustering: Clustering,
  judged: readonly Embedded[],
  random: Random,
): Calibration {
  const clusters = clustering.centroids.length / points.dimensions;
  const decisions = judged.map((one) => twoNearest(distances(clustering.centroids, one.vector)));
  const agreement = agreements(points, clustering, judged, random);
  const scored = decisions.map((decision, index) => ({
    score: marginScore(decision.nearest, decision.second),
    agreed: agreement[index]!,
  }));
  const { scores, confidences } = isotonic(scored);
  return {
    scores,
    confidences,
    radii: radii(decisions, clusters),
    leastShare: quantile(
      judged.map((one) => one.share),
      1 - OUTSIDE_QUANTILE,
    ),
  };
}

function distances(centroids: Float32Array, vector: Float32Array): Float32Array {
  const dimensions = vector.length;
  return Float32Array.from({ length: centroids.length / dimensions }, (_, cluster) => {
    let sum = 0;
    for (let j = 0; j < dimensions; j += 1) sum += (vector[j]! - centroids[cluster * dimensions + j]!) ** 2;
    return Math.sqrt(sum);
  });
}

/** For every judged prompt the share of replicas, fitted to resampled points, that put it into the same cluster. */
function agreements(
  points: Points,
  clustering: Clustering,
  judged: readonly Embedded[],
  random: Random,
): Float64Array {
  const clusters = clustering.centroids.length / points.dimensions;
  const agreed = new Float64Array(judged.length);
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    const own = random.fork(replica);
    const chosen = Array.from({ length: points.count }, () => own.below(points.count));
    const resampled = rowsOf(points, chosen);
    const fitted = kMeans(resampled, { clusters, restarts: 1, maxIterations: 30 }, own);
    const match = matched(points, clustering, fitted.centroids);
    judged.forEach((one, index) => {
      const ours = twoNearest(distances(clustering.centroids, one.vector)).cluster;
      const theirs = twoNearest(distances(fitted.centroids, one.vector)).cluster;
      if (match[theirs] === ours) agreed[index]! += 1 / REPLICAS;
    });
  }
  return agreed;
}

/** Which of our clusters each of theirs overlaps most. */
function matched(points: Points, clustering: Clustering, theirs: Float32Array): Uint32Array {
  const { dimensions, values } = points;
  const clusters = clustering.centroids.length / dimensions;
  const overlap = new Float64Array(clusters * clusters);
  for (let point = 0; point < points.count; point += 1) {
    const vector = values.subarray(point * dimensions, (point + 1) * dimensions);
    const label = twoNearest(distances(theirs, vector)).cluster;
    overlap[label * clusters + clustering.labels[point]!]! += 1;
  }
  return Uint32Array.from({ length: clusters }, (_, label) => {
    const row = overlap.subarray(label * clusters, (label + 1) * clusters);
    return row.indexOf(Math.max(...row));
  });
}

function rowsOf(points: Points, rows: readonly number[]): Points {
  const { dimensions } = points;
  const values = new Float32Array(rows.length * dimensions);
  rows.forEach((row, index) => {
    values.set(points.values.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions);
  });
  return { values, count: rows.length, dimensions };
}

/** Rising steps through (score, agreement) by pooling adjacent violators, over bins of equal count. */
function isotonic(scored: { score: number; agreed: number }[]): {
  scores: Float32Array;
  confidences: Float32Array;
} {
  const sorted = [...scored].sort((a, b) => a.score - b.score);
  const bins = Math.max(1, Math.min(BINS, Math.floor(sorted.length / 10)));
  const pools: { score: number; agreed: number; weight: number }[] = [];
  for (let bin = 0; bin < bins; bin += 1) {
    const part = sorted.slice(
      Math.floor((bin * sorted.length) / bins),
      Math.floor(((bin + 1) * sorted.length) / bins),
    );
    if (part.length === 0) continue;
    pools.push({
      score: part.reduce((sum, one) => sum + one.score, 0) / part.length,
      agreed: part.reduce((sum, one) => sum + one.agreed, 0) / part.length,
      weight: part.length,
    });
    while (pools.length > 1 && pools.at(-2)!.agreed > pools.at(-1)!.agreed) {
      const [a, b] = pools.splice(-2) as [(typeof pools)[0], (typeof pools)[0]];
      const weight = a.weight + b.weight;
      pools.push({
        score: (a.score * a.weight + b.score * b.weight) / weight,
        agreed: (a.agreed * a.weight + b.agreed * b.weight) / weight,
        weight,
      });
    }
  }
  return {
    scores: Float32Array.from(pools, (pool) => pool.score),
    confidences: Float32Array.from(pools, (pool) => pool.agreed),
  };
}

function radii(decisions: readonly { cluster: number; nearest: number }[], clusters: number): Float32Array {
  const all = quantile(
    decisions.map((decision) => decision.nearest),
    OUTSIDE_QUANTILE,
  );
  return Float32Array.from({ length: clusters }, (_, cluster) => {
    const own = decisions
      .filter((decision) => decision.cluster === cluster)
      .map((decision) => decision.nearest);
    return own.length < LEAST_FOR_OWN_RADIUS ? all : quantile(own, OUTSIDE_QUANTILE);
  });
}

function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
