/** The heavy parts of learning, as tasks that can run on any thread. */
import { type TextBatch, task, unpackTexts } from '../../../../core/tasks.ts';
import { FeatureBuffer } from '../../../text/feature-buffer.ts';
import { extractFeatures, normalise } from '../../../text/features.ts';
import { sampleText } from '../../../text/sampling.ts';
import { TermCounts } from '../term-counts.ts';
import { TermLookup } from '../terms.ts';
import { type CountChunk, CountChunkBuilder } from './counts.ts';
import { FrequencyTable } from './frequency-table.ts';
import { multiplyBlock } from './svd.ts';
import type { Vocabulary } from './vocabulary.ts';

/** In how many texts of the batch each feature occurs, in ascending order of hash. */
export const countFeatures = task(import.meta.url, 'countFeatures', (batch: TextBatch) => {
  const table = new FrequencyTable();
  const features = new FeatureBuffer();
  unpackTexts(batch).forEach((text, index) => {
    extractFeatures(normalise(sampleText(text)), features);
    for (let at = 0; at < features.length; at += 1) table.see(features.hashes[at]!, index + 1);
  });
  return table.entries(1);
});

/** The terms of every text of the batch. */
export const countTerms = task(
  import.meta.url,
  'countTerms',
  ({ batch, vocabulary }: { batch: TextBatch; vocabulary: Vocabulary }): CountChunk => {
    const counts = new TermCounts(new TermLookup(vocabulary.hashes));
    const builder = new CountChunkBuilder(vocabulary.hashes.length);
    for (const text of unpackTexts(batch)) {
      extractFeatures(normalise(sampleText(text)), counts);
      builder.add(counts);
    }
    return builder.build(vocabulary.fittingWeights);
  },
);

export interface Multiplication {
  readonly chunks: readonly CountChunk[];
  readonly weights: Float32Array;
  readonly q: Float32Array;
  readonly width: number;
  readonly last: boolean;
}

export const multiply = task(
  import.meta.url,
  'multiply',
  ({ chunks, weights, q, width, last }: Multiplication) => multiplyBlock(chunks, weights, q, width, last),
);
