/**
 * From how many prompts on a router model is better with what they teach beside the meanings that ship: `npm run
 * eval:few-prompts -- --corpora <folder>`. Trains on so many labelled public prompts, without their labels, and judges the
 * clusters of others by normalised mutual information with the labels.
 */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/core/random.ts';
import { normalisedMutualInformation } from '../src/deciding/clustering/quality.ts';
import { usualCount } from '../src/learning/training/choose-clusters.ts';
import { corpusOf } from '../src/learning/training/corpus.ts';
import { fitModel } from '../src/learning/training/fit.ts';
import { openPool } from '../src/learning/training/pool.ts';
import { shuffle } from '../src/learning/training/split.ts';
import { classify, loadRouterModel } from '../src/router.ts';
import { type Labelled, labelledPrompts } from './labelled.ts';
import { runScript } from './script.ts';

const { values } = parseArgs({
  options: {
    corpora: { type: 'string' },
    counts: { type: 'string', default: '76,150,300,600,1200,1600,2000,3000' },
  },
});
const SEEDS = [1, 2, 3];
const EMBEDDINGS = ['distilled', 'blended', 'lexical'] as const;
const JUDGED = 2_500;

await runScript(async () => {
  if (values.corpora === undefined) throw new Error('--corpora names a folder of labelled prompts.');
  const prompts = labelledPrompts(values.corpora).filter(({ language }) => language === 'en');
  const { embedding: pretrained } = await loadRouterModel();
  const pool = openPool(2);
  console.log(
    `| prompts | clusters | ${EMBEDDINGS.join(' | ')} |\n|---:|---:|${'---:|'.repeat(EMBEDDINGS.length)}`,
  );
  for (const count of values.counts.split(',').map(Number)) {
    const means: string[] = [];
    for (const embedding of EMBEDDINGS) {
      const found: number[] = [];
      for (const seed of SEEDS) {
        const [taught, judged] = halves(prompts, count, seed);
        const options = {
          clusters: usualCount(count),
          dimensions: 96,
          vocabulary: 32_768,
          restarts: 4,
          seed,
        };
        const corpus = corpusOf(
          taught.map(({ text }) => text),
          tmpdir(),
        );
        const { model } = await fitModel(corpus, { ...options, embedding, pretrained }, pool);
        const clusters = judged.map(({ text }) => classify(model, text).cluster);
        found.push(normalisedMutualInformation(clusters, numbered(judged)));
      }
      means.push((found.reduce((sum, one) => sum + one, 0) / found.length).toFixed(3));
    }
    console.log(`| ${count} | ${usualCount(count)} | ${means.join(' | ')} |`);
  }
  await pool.close();
});

function halves(prompts: readonly Labelled[], count: number, seed: number): [Labelled[], Labelled[]] {
  const rows = Array.from(prompts, (_, row) => row);
  shuffle(rows, seededRandom(seed).fork(`of ${count}`));
  const drawn = rows.map((row) => prompts[row]!);
  return [drawn.slice(0, count), drawn.slice(count, count + JUDGED)];
}

function numbered(prompts: readonly Labelled[]): number[] {
  const names = [...new Set(prompts.map(({ label }) => label))];
  return prompts.map(({ label }) => names.indexOf(label));
}
