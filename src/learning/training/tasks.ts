/**
 * The heavy parts of training as plain functions of plain data, so that they run on any thread and give the same
 * numbers there. They know nothing of threads, files or each other's order.
 */

import { seededRandom } from '../../core/random.ts';
import { type KMeansOptions, kMeans } from '../../deciding/clustering/kmeans.ts';
import { type BatchSums, measureBatch } from '../../deciding/clustering/mini-batch.ts';
import type { Clustering, Points } from '../../deciding/clustering/points.ts';
import {
  type CountChunk,
  CountChunkBuilder,
  type Projection,
  projectChunk,
} from '../../deciding/embedding/sparse.ts';
import { type BlockProduct, multiplyBlock } from '../../deciding/embedding/svd.ts';
import { TermCounts } from '../../deciding/embedding/term-counts.ts';
import { TermLookup } from '../../deciding/embedding/term-lookup.ts';
import { FeatureBuffer } from '../../deciding/text/feature-buffer.ts';
import { extractFeatures, KINDS, normalise } from '../../deciding/text/features.ts';
import { sampleText } from '../../deciding/text/sampling.ts';
import { FrequencyTable } from './frequency-table.ts';
import { type PackedBatch, unpackBatch } from './prompt-store.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface Frequencies {
  readonly hashes: Uint32Array;
  readonly counts: Uint32Array;
}

export interface EmbeddedChunk {
  /** rows × dimensions; unit vectors, or zero where nothing was known. */
  readonly vectors: Float32Array;
  /** How far each prompt's terms point the same way, unknown ones counting as pointing nowhere: 0..1. */
  readonly coherences: Float32Array;
}

function countFeatures({ batch }: { batch: PackedBatch }): Frequencies {
  const table = new FrequencyTable();
  const features = new FeatureBuffer();
  unpackBatch(batch).forEach((text, index) => {
    extractFeatures(normalise(sampleText(text)), features);
    for (let at = 0; at < features.length; at += 1) table.see(features.hashes[at]!, index + 1);
  });
  return table.entries(1);
}

function vectorise({ batch, vocabulary }: { batch: PackedBatch; vocabulary: Vocabulary }): CountChunk {
  const counts = new TermCounts(new TermLookup(vocabulary.hashes));
  const builder = new CountChunkBuilder(vocabulary.hashes.length);
  const features = new FeatureBuffer();
  for (const text of unpackBatch(batch)) {
    extractFeatures(normalise(sampleText(text)), features);
    counts.count(features);
    let unknown = 0;
    for (let kind = 0; kind < KINDS; kind += 1) {
      unknown += counts.unknown[kind]! * vocabulary.unknownWeights[kind]!;
    }
    builder.add(counts, unknown);
  }
  return builder.build(vocabulary.fittingWeights);
}

function multiply(input: {
  chunks: readonly CountChunk[];
  weights: Float32Array;
  q: Float32Array;
  width: number;
  last: boolean;
}): BlockProduct {
  return multiplyBlock(input.chunks, input.weights, input.q, input.width, input.last);
}

function embedChunk({ chunk, projection }: { chunk: CountChunk; projection: Projection }): EmbeddedChunk {
  return projectChunk(chunk, projection);
}

function cluster(input: { points: Points; options: KMeansOptions; seed: number }): Clustering {
  return kMeans(input.points, input.options, seededRandom(input.seed));
}

/** Embeds a batch and measures it against centroids, keeping nothing: how prompts beyond memory are clustered. */
function measure(input: {
  batch: PackedBatch;
  vocabulary: Vocabulary;
  projection: Projection;
  centroids: Float32Array;
}): BatchSums {
  const chunk = vectorise(input);
  const { vectors } = projectChunk(chunk, input.projection);
  const { dimensions } = input.projection;
  return measureBatch({ values: vectors, count: chunk.rows, dimensions }, input.centroids);
}

export const TASKS = { countFeatures, vectorise, multiply, embedChunk, cluster, measure };

export type TaskName = keyof typeof TASKS;
export type TaskInput<N extends TaskName> = Parameters<(typeof TASKS)[N]>[0];
export type TaskOutput<N extends TaskName> = ReturnType<(typeof TASKS)[N]>;

export function runTask<N extends TaskName>(name: N, input: TaskInput<N>): TaskOutput<N> {
  return (TASKS[name] as (input: TaskInput<N>) => TaskOutput<N>)(input);
}
