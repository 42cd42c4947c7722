/**
 * Learns from held-out prompts how margins map to confidence and from where on a prompt is "outside". Confidence is how
 * often models fitted to resampled prompts agree with the decision.
 */

import { quantileOf } from '../../core/quantile.ts';
import type { Random } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { labelsOf } from '../../deciding/clustering/distances.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import { NearestCentroid } from '../../deciding/clustering/nearest.ts';
import { type Clustering, type Points, rowsOf } from '../../deciding/clustering/points.ts';
import { interpolate, logMargin, strangenessOf } from '../../deciding/model/classify.ts';
import { TRAINED_OUTSIDE } from '../../deciding/model/drift.ts';
import type { Calibration } from '../../deciding/model/router-model.ts';
import { isotonicCurve, logisticFit } from './isotonic.ts';
import type { Judged } from './split.ts';

/** Models fitted to resampled prompts that vote on every decision. */
const REPLICAS = 8;
const MOST_RESAMPLED = 20_000;
/** A cluster's radius is this quantile of the distances of its held-out prompts. */
const RADIUS_QUANTILE = 0.99;
/** No cluster's radius is smaller than this quantile of all held-out prompts' distances. */
const LEAST_RADIUS_QUANTILE = 0.95;
/** Held-out prompts a cluster needs for its own radius; other clusters use the overall one. */
const LEAST_FOR_OWN_RADIUS = 50;

export interface ReliabilityBin {
  readonly predicted: number;
  readonly observed: number;
  readonly count: number;
}

export interface CalibrationCheck {
  /** On held-out prompts that the curve was not fitted to. */
  readonly bins: readonly ReliabilityBin[];
  /** Mean of |predicted − observed| over bins, weighted by count. */
  readonly expectedError: number;
  /** How often replicas agree, per cluster: 0..1. */
  readonly reliability: readonly number[];
  /** The same over all prompts. */
  readonly agreement: number;
}

export interface Calibrated {
  readonly calibration: Calibration;
  readonly check: CalibrationCheck;
}

interface Decisions {
  readonly clusters: Uint32Array;
  readonly distances: Float64Array;
  readonly logMargins: Float64Array;
}

export async function calibrate(
  points: Points,
  clustering: Clustering,
  judged: Judged,
  random: Random,
  tasks: TaskRunner,
): Promise<Calibrated> {
  const { centroids } = clustering;
  const clusters = centroids.length / points.dimensions;
  const replicas = await fitReplicas(points, clusters, random, tasks);
  const matches = replicas.map((replica) => matched(points, clustering.labels, clusters, replica));
  const reliability = reliabilityOf(points, clustering.labels, clusters, replicas, matches);
  const decisions = decide(judged.points, centroids);
  const agreed = agreement(judged.points, decisions.clusters, replicas, matches);
  const odds = Float64Array.from(decisions.clusters, (cluster) => logit(reliability[cluster]!));
  const all = Array.from(decisions.clusters.keys());
  const scored = fitScores(all, decisions, odds, agreed, reliability);
  const radii = radiiOf(decisions, clusters);
  const ordinary = { radii, strangest: 1 };
  const strangeness = all.map((one) =>
    strangenessOf(ordinary, decisions.clusters[one]!, decisions.distances[one]!, judged.familiarities[one]!),
  );
  const strangest = quantileOf(strangeness, 1 - TRAINED_OUTSIDE) || 1;
  return {
    calibration: { ...scored, radii, strangest: Number.isFinite(strangest) ? Math.max(strangest, 1e-6) : 1 },
    check: {
      ...crossCheck(all, decisions, odds, agreed, reliability),
      reliability: [...reliability],
      agreement: mean(agreed),
    },
  };
}

/** Fits replicas to points resampled with replacement, each with its own seeding. */
function fitReplicas(
  points: Points,
  clusters: number,
  random: Random,
  tasks: TaskRunner,
): Promise<readonly Float32Array[]> {
  const size = Math.min(points.count, MOST_RESAMPLED);
  return Promise.all(
    Array.from({ length: REPLICAS }, async (_, replica) => {
      const own = random.fork(`replica ${replica}`);
      const drawn = rowsOf(
        points,
        Uint32Array.from({ length: size }, () => own.below(points.count)),
      );
      const options = { clusters, restarts: 1, maxIterations: 40, tolerance: 1e-3 };
      return (await kMeans(drawn, options, own, tasks)).centroids;
    }),
  );
}

function decide({ values, count, dimensions }: Points, centroids: Float32Array): Decisions {
  const nearest = new NearestCentroid(centroids, dimensions);
  const clusters = new Uint32Array(count);
  const distances = new Float64Array(count);
  const logMargins = new Float64Array(count);
  for (let point = 0; point < count; point += 1) {
    nearest.find(values, point * dimensions);
    clusters[point] = nearest.cluster;
    distances[point] = Math.sqrt(nearest.first);
    logMargins[point] = logMargin(Math.sqrt(nearest.first), Math.sqrt(nearest.second));
  }
  return { clusters, distances, logMargins };
}

/** For each of a replica's clusters, the cluster of ours that shares most prompts with it. */
function matched(points: Points, labels: Uint32Array, clusters: number, replica: Float32Array): Uint32Array {
  const theirs = labelsOf(points, replica);
  const overlap = new Uint32Array(clusters * clusters);
  theirs.forEach((label, point) => {
    overlap[label * clusters + labels[point]!]! += 1;
  });
  return Uint32Array.from({ length: clusters }, (_, label) => {
    const row = overlap.subarray(label * clusters, (label + 1) * clusters);
    return row.indexOf(Math.max(...row));
  });
}

/** For every point, the share of replicas that agree with our cluster. */
function agreement(
  points: Points,
  ours: Uint32Array,
  replicas: readonly Float32Array[],
  matches: readonly Uint32Array[],
): Float64Array {
  const agreed = new Float64Array(points.count);
  replicas.forEach((replica, index) => {
    labelsOf(points, replica).forEach((label, point) => {
      if (matches[index]![label] === ours[point]) agreed[point]! += 1 / replicas.length;
    });
  });
  return agreed;
}

/** Mean agreement per cluster over the training points, shrunk slightly towards one half for small clusters. */
function reliabilityOf(
  points: Points,
  labels: Uint32Array,
  clusters: number,
  replicas: readonly Float32Array[],
  matches: readonly Uint32Array[],
): Float64Array {
  const agreed = agreement(points, labels, replicas, matches);
  const sums = new Float64Array(clusters).fill(1);
  const sizes = new Float64Array(clusters).fill(2);
  labels.forEach((label, point) => {
    sums[label]! += agreed[point]!;
    sizes[label]! += 1;
  });
  return sums.map((sum, cluster) => sum / sizes[cluster]!);
}

type Scored = Pick<Calibration, 'offsets' | 'slope' | 'scores' | 'confidences'>;

function fitScores(
  which: readonly number[],
  { clusters, logMargins }: Decisions,
  odds: Float64Array,
  agreed: Float64Array,
  reliability: Float64Array,
): Scored {
  const pick = (values: ArrayLike<number>): number[] => which.map((index) => values[index]!);
  const [slope, weight, constant] = logisticFit(pick(logMargins), pick(odds), pick(agreed));
  const offsets = Float32Array.from(reliability, (value) => weight * logit(value) + constant);
  const scores = which.map((index) => slope * logMargins[index]! + offsets[clusters[index]!]!);
  return { offsets, slope, ...isotonicCurve(scores, pick(agreed)) };
}

const CHECK_BINS = 10;

/** Two-fold cross-validation: fits to every other held-out prompt and predicts the rest. */
function crossCheck(
  all: readonly number[],
  decisions: Decisions,
  odds: Float64Array,
  agreed: Float64Array,
  reliability: Float64Array,
): Pick<CalibrationCheck, 'bins' | 'expectedError'> {
  const predicted = new Float64Array(all.length);
  for (const half of [0, 1]) {
    const fitted = fitScores(
      all.filter((index) => index % 2 !== half),
      decisions,
      odds,
      agreed,
      reliability,
    );
    for (const index of all.filter((one) => one % 2 === half)) {
      const score = fitted.slope * decisions.logMargins[index]! + fitted.offsets[decisions.clusters[index]!]!;
      predicted[index] = interpolate(fitted, score);
    }
  }
  const bins = Array.from({ length: CHECK_BINS }, (_, bin) =>
    all.filter((index) => Math.min(CHECK_BINS - 1, Math.floor(predicted[index]! * CHECK_BINS)) === bin),
  )
    .filter((members) => members.length > 0)
    .map((members) => ({
      predicted: mean(members.map((index) => predicted[index]!)),
      observed: mean(members.map((index) => agreed[index]!)),
      count: members.length,
    }));
  const error = bins.reduce((sum, bin) => sum + Math.abs(bin.predicted - bin.observed) * bin.count, 0);
  return { bins, expectedError: all.length === 0 ? 0 : error / all.length };
}

function radiiOf({ clusters, distances }: Decisions, count: number): Float32Array {
  const everyone = quantileOf([...distances], RADIUS_QUANTILE) || Math.SQRT2;
  const byCluster: number[][] = Array.from({ length: count }, () => []);
  clusters.forEach((cluster, point) => {
    byCluster[cluster]!.push(distances[point]!);
  });
  // A tight cluster must not call a prompt outside that any other cluster would accept.
  const least = quantileOf([...distances], LEAST_RADIUS_QUANTILE) || 0;
  return Float32Array.from(byCluster, (own) =>
    own.length < LEAST_FOR_OWN_RADIUS ? everyone : Math.max(least, quantileOf(own, RADIUS_QUANTILE)),
  );
}

function logit(share: number): number {
  const bounded = Math.min(0.995, Math.max(0.005, share));
  return Math.log(bounded / (1 - bounded));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index]!;
  return values.length === 0 ? 0 : sum / values.length;
}
