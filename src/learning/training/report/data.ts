/** The report of a training as plain data, which is also its JSON form. */
import type { ReliabilityBin } from '../calibrate.ts';
import type { TriedCount } from '../choose-clusters.ts';
import type { Corpus } from '../corpus.ts';
import type { Fitted, HeldOut } from '../fit.ts';
import { mapPoints } from './map.ts';

export interface ReportCluster {
  readonly cluster: number;
  readonly name: string;
  readonly size: number;
  readonly terms: readonly string[];
  /** How often models fitted to resampled prompts agree on its prompts: 0..1. */
  readonly reliability: number;
  /** Mean distance of its prompts to its centroid. */
  readonly spread: number;
  readonly near: readonly string[];
  readonly far: readonly string[];
}

export interface MapPoint {
  readonly x: number;
  readonly y: number;
  readonly cluster: number;
}

export interface TrainingReport {
  readonly model: string;
  readonly prompts: number;
  readonly duplicates: number;
  readonly broken: number;
  readonly complaints: readonly string[];
  readonly sources: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly clusters: readonly ReportCluster[];
  readonly map: readonly MapPoint[];
  readonly curve: readonly TriedCount[];
  readonly heldOut: HeldOut;
  readonly calibration: readonly ReliabilityBin[];
  readonly calibrationError: number;
  readonly agreement: number;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly stages: readonly { readonly stage: string; readonly seconds: number }[];
  readonly peakBytes: number;
  readonly fileBytes: number;
}

/** Measurements that only the caller can make. */
export interface RunMeasures {
  readonly stages: TrainingReport['stages'];
  readonly peakBytes: number;
  /** Size of the model file. */
  readonly bytes: number;
}

export function reportOf(fitted: Fitted, corpus: Corpus, run: RunMeasures): TrainingReport {
  const { model, examples, check } = fitted;
  const clusters = model.names.map((name, cluster) => ({
    cluster,
    name,
    size: model.sizes[cluster]!,
    terms: model.topWords[cluster]!,
    reliability: check.reliability[cluster]!,
    ...examples[cluster]!,
  }));
  return {
    model: model.id,
    prompts: corpus.store.count,
    duplicates: corpus.duplicates,
    broken: corpus.broken,
    complaints: corpus.complaints,
    sources: model.facts.sources,
    seed: model.facts.seed,
    clusters,
    map: mapPoints(fitted.points, fitted.labels, model.facts.seed),
    curve: fitted.curve,
    heldOut: fitted.heldOut,
    calibration: check.bins,
    calibrationError: check.expectedError,
    agreement: check.agreement,
    facts: model.facts.more,
    stages: run.stages,
    peakBytes: run.peakBytes,
    fileBytes: run.bytes,
  };
}
