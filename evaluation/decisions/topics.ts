/** How well clusters keep topics apart, on labelled public corpora: k-means anew, without their labels. */
import { tmpdir } from 'node:os';
import { normalisedMutualInformation, purity } from '../../src/deciding/clustering/quality.ts';
import { corpusOf } from '../../src/learning/training/corpus.ts';
import { fitModel } from '../../src/learning/training/fit.ts';
import { openPool } from '../../src/learning/training/pool.ts';
import type { RouterModel } from '../../src/router.ts';
import { labelledPrompts } from '../labelled.ts';

const SEEDS = 3;
/** As `train` makes models, and with the meanings alone, as the model that ships was made. */
const EMBEDDINGS = ['blended', 'distilled'] as const;

/** Lines of a Markdown section. */
export async function judgeTopics(
  model: RouterModel,
  corpora: string,
  counts: string,
): Promise<readonly string[]> {
  const labelled = labelledPrompts(corpora);
  const names = [...new Set(labelled.map(({ label }) => label))];
  const pool = openPool(2);
  const fitted = async (embedding: string, clusters: number, seed: number): Promise<Uint32Array> => {
    const corpus = corpusOf(
      labelled.map(({ text }) => text),
      tmpdir(),
    );
    const options = { clusters, dimensions: 96, vocabulary: 32_768, restarts: 4, seed };
    return (await fitModel(corpus, { ...options, embedding, pretrained: model.embedding }, pool)).labels;
  };
  const rows: string[] = [];
  for (const embedding of EMBEDDINGS)
    for (const clusters of counts.split(',').map(Number)) {
      const runs: Uint32Array[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) runs.push(await fitted(embedding, clusters, seed));
      for (const language of ['all', 'en', 'ja'] as const) {
        const kept = labelled.flatMap((one, row) =>
          language === 'all' || one.language === language ? [row] : [],
        );
        const truth = kept.map((row) => names.indexOf(labelled[row]!.label));
        const of = (measure: (own: readonly number[], truth: readonly number[]) => number): number[] =>
          runs.map((labels) =>
            measure(
              kept.map((row) => labels[row]!),
              truth,
            ),
          );
        rows.push(
          `| ${embedding} | ${clusters} | ${language} | ${spread(of(normalisedMutualInformation))} | ${spread(of(purity))} |`,
        );
      }
    }
  await pool.close();
  return [
    '## Topics\n',
    `${labelled.length} public prompts with ${names.length} topic labels (\`evaluation/labelled.ts\`), a model trained on them without their labels;`,
    `mean and standard deviation over ${SEEDS} seeds. \`blended\` is what \`train\` makes: the meanings that ship beside what the`,
    'prompts teach; `distilled` the meanings alone, with which the shipped model was made.\n',
    '| embedding | k | language | NMI | purity |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ];
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${mean.toFixed(3)} ± ${Math.sqrt(variance).toFixed(3)}`;
}
