/**
 * Evaluates the clusters: `npm run eval:clusters -- --corpora <folder>`. Trains on labelled public prompts without
 * their labels, with several seeds, and compares; also tests how well a model recognises prompts unlike its training
 * prompts.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import {
  adjustedRandIndex,
  normalisedMutualInformation,
  purity,
} from '../src/deciding/clustering/quality.ts';
import { readRouterModel } from '../src/deciding/model/artefact.ts';
import { classify } from '../src/deciding/model/classify.ts';
import type { RouterModel } from '../src/deciding/model/router-model.ts';
import { plainText } from '../src/deciding/text/routable.ts';
import { corpusOf } from '../src/learning/training/corpus.ts';
import { type Fitted, fitModel } from '../src/learning/training/fit.ts';
import { openPool } from '../src/learning/training/pool.ts';
import { pretrainedFrom } from '../src/learning/training/train.ts';
import { clincRequests, type Labelled, labelledPrompts } from './labelled.ts';
import { UNSEEN_LANGUAGES } from './unseen-languages.ts';

const { values } = parseArgs({
  options: {
    corpora: { type: 'string' },
    model: { type: 'string', default: 'models/default.router.safetensors' },
    clusters: { type: 'string', default: '32,64' },
    seeds: { type: 'string', default: '3' },
    embedding: { type: 'string', default: 'lexical' },
  },
});
if (values.corpora === undefined) throw new Error('give the folder of the corpora: --corpora <folder>');
const corpora = values.corpora;

const labelled = labelledPrompts(corpora);
const names = [...new Set(labelled.map((one) => one.label))];
const truth = Uint32Array.from(labelled, (one) => names.indexOf(one.label));
console.log(`${labelled.length} prompts, ${names.length} labels`);

const pool = openPool(2);
for (const clusters of values.clusters.split(',').map(Number)) {
  const runs: Fitted[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const options = {
      ...{ clusters, dimensions: 96, vocabulary: 32_768, restarts: 4, seed, embedding: values.embedding },
      ...(values.embedding === 'lexical' ? {} : { pretrained: await pretrainedFrom(values.model) }),
    };
    runs.push(
      await fitModel(
        corpusOf(
          labelled.map((one) => one.text),
          tmpdir(),
        ),
        options,
        pool,
      ),
    );
  }
  report(clusters, runs);
}
await judgeOutOfScope();
await pool.close();
judgeLanguages(readRouterModel(readFileSync(values.model)));

function report(clusters: number, runs: readonly Fitted[]): void {
  const rows = (keep: (one: Labelled) => boolean): number[] =>
    labelled.flatMap((one, row) => (keep(one) ? [row] : []));
  const mean = (of: (run: Fitted) => number): string =>
    (runs.reduce((sum, run) => sum + of(run), 0) / runs.length).toFixed(3);
  for (const [title, kept] of [
    ['all', rows(() => true)],
    ['en', rows((one) => one.language === 'en')],
    ['ja', rows((one) => one.language === 'ja')],
  ] as const) {
    const labels = kept.map((row) => truth[row]!);
    const own = (run: Fitted): number[] => kept.map((row) => run.labels[row]!);
    const nmi = mean((run) => normalisedMutualInformation(labels, own(run)));
    const pure = mean((run) => purity(own(run), labels));
    console.log(`k ${clusters} ${title}: NMI ${nmi}, purity ${pure}, mean of ${runs.length} seeds`);
  }
  const pairs = runs.flatMap((a, i) => runs.slice(i + 1).map((b) => adjustedRandIndex(a.labels, b.labels)));
  const stability = pairs.reduce((sum, value) => sum + value, 0) / Math.max(1, pairs.length);
  console.log(
    `k ${clusters}: stability over seeds (adjusted Rand) ${stability.toFixed(3)}, ` +
      `calibration error ${mean((run) => run.check.expectedError)}, ` +
      `agreement ${mean((run) => run.check.agreement)}, ` +
      `inertia per prompt held out ${mean((run) => run.heldOut.heldOut)}, trained ${mean((run) => run.heldOut.training)}`,
  );
}

/** Can a model trained only on clinc150's training requests tell its test requests from those out of scope? */
async function judgeOutOfScope(): Promise<void> {
  const { train, test, foreign } = clincRequests(corpora);
  const options = { clusters: 64, dimensions: 96, vocabulary: 32_768, restarts: 2, seed: 1 };
  const { model } = await fitModel(corpusOf(train, tmpdir()), options, pool);
  console.log(
    `clinc150 out of scope: ROC area ${rocArea(model, test, foreign).toFixed(3)}, ` +
      `${rate(model, foreign)} called outside against ${rate(model, test)} of those in scope`,
  );
}

/** How a trained model judges languages it was never trained on. */
function judgeLanguages(model: RouterModel): void {
  const inside = labelled.filter((_, index) => index % 4 === 0).map((one) => one.text);
  console.log(`model ${model.id}: ${rate(model, inside)} of ${inside.length} known prompts called outside`);
  for (const [language, prompts] of Object.entries(UNSEEN_LANGUAGES)) {
    console.log(
      `${language}: ROC area ${rocArea(model, inside, prompts).toFixed(3)}, ${rate(model, prompts)} called outside`,
    );
  }
}

function rate(model: RouterModel, prompts: readonly string[]): string {
  const outside = prompts.filter((prompt) => classify(model, plainText(prompt)).outside).length;
  return `${((100 * outside) / prompts.length).toFixed(1)} %`;
}

function rocArea(model: RouterModel, inside: readonly string[], outside: readonly string[]): number {
  const score = (prompt: string): number => classify(model, plainText(prompt)).strangeness;
  const scored = [...inside.map((one) => [score(one), 0]), ...outside.map((one) => [score(one), 1])] as [
    number,
    number,
  ][];
  scored.sort((a, b) => a[0] - b[0]);
  let ranks = 0;
  for (let from = 0; from < scored.length; ) {
    let to = from;
    while (to < scored.length && scored[to]![0] === scored[from]![0]) to += 1;
    for (let at = from; at < to; at += 1) if (scored[at]![1] === 1) ranks += (from + to + 1) / 2;
    from = to;
  }
  const n = outside.length;
  return (ranks - (n * (n + 1)) / 2) / (n * inside.length);
}
