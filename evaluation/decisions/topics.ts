/** How well clusters keep topics apart, on labelled public corpora: with the model's embedding, k-means anew. */

import { seededRandom } from '../../src/core/random.ts';
import { labelsOf } from '../../src/deciding/clustering/distances.ts';
import { kMeans } from '../../src/deciding/clustering/kmeans.ts';
import { normalisedMutualInformation, purity } from '../../src/deciding/clustering/quality.ts';
import { classify } from '../../src/deciding/model/classify.ts';
import { plainText } from '../../src/deciding/text/routable.ts';
import { openPool } from '../../src/learning/training/pool.ts';
import type { RouterModel } from '../../src/router.ts';
import { labelledPrompts } from '../labelled.ts';

const SEEDS = 3;

/** Lines of a Markdown section. */
export async function judgeTopics(
  model: RouterModel,
  corpora: string,
  counts: string,
): Promise<readonly string[]> {
  const labelled = labelledPrompts(corpora);
  const names = [...new Set(labelled.map(({ label }) => label))];
  const { dimensions } = model;
  const values = new Float32Array(new SharedArrayBuffer(4 * dimensions * labelled.length));
  labelled.forEach(({ text }, row) => {
    values.set(classify(model, plainText(text)).vector, row * dimensions);
  });
  const points = { values, count: labelled.length, dimensions };
  const pool = openPool(1);
  const rows: string[] = [];
  for (const clusters of counts.split(',').map(Number)) {
    const runs: Uint32Array[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = { clusters, restarts: 2, maxIterations: 100, tolerance: 1e-4 };
      runs.push(labelsOf(points, (await kMeans(points, options, seededRandom(seed), pool)).centroids));
    }
    for (const language of ['all', 'en', 'ja'] as const) {
      const kept = labelled.flatMap((one, row) =>
        language === 'all' || one.language === language ? [row] : [],
      );
      const truth = kept.map((row) => names.indexOf(labelled[row]!.label));
      const of = (measure: (a: readonly number[], b: readonly number[]) => number): number[] =>
        runs.map((labels) =>
          measure(
            kept.map((row) => labels[row]!),
            truth,
          ),
        );
      rows.push(
        `| ${clusters} | ${language} | ${spread(of((own, all) => normalisedMutualInformation(all, own)))} | ${spread(of(purity))} |`,
      );
    }
  }
  await pool.close();
  return [
    '## Topics\n',
    `${labelled.length} public prompts with ${names.length} topic labels (\`evaluation/labelled.ts\`), clustered anew without their labels; mean and`,
    `standard deviation over ${SEEDS} seeds.\n`,
    '| k | language | NMI | purity |',
    '|---|---|---|---|',
    ...rows,
    '',
  ];
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${mean.toFixed(3)} ± ${Math.sqrt(variance).toFixed(3)}`;
}
