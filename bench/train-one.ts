/** One training run in a separate process, for bench/train.ts: prints seconds, memory and quality as JSON. */
import { createReadStream, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { normalisedMutualInformation } from '../src/deciding/clustering/quality.ts';
import type { Corpus } from '../src/learning/training/corpus.ts';
import { fitModel } from '../src/learning/training/fit.ts';
import { openPool } from '../src/learning/training/pool.ts';
import { PromptStore } from '../src/learning/training/prompt-store.ts';

const [, , path, clusters, vectors] = process.argv;
const started = performance.now();
const store = new PromptStore(tmpdir());
const labels: string[] = [];
const languages: string[] = [];
for await (const line of createInterface({ input: createReadStream(path!) })) {
  const { text, label, language } = JSON.parse(line) as { text: string; label: string; language: string };
  store.append(text);
  labels.push(label);
  languages.push(language);
}
store.flush();
const corpus: Corpus = { store, sources: {}, duplicates: 0, broken: 0, complaints: [], notices: [] };
const pool = openPool(availableParallelism());
const options = { clusters: Number(clusters), dimensions: 96, vocabulary: 32_768, restarts: 4, seed: 1 };
const fitted = await fitModel(corpus, options, pool);
const seconds = (performance.now() - started) / 1000;
const usage = process.resourceUsage();
await pool.close();
if (vectors) writeFileSync(vectors, new Uint8Array(fitted.points.values.buffer));

/** Only if every prompt is in the fit, in order. */
function nmi(language: string | null): number | null {
  if (fitted.labels.length !== labels.length) return null;
  const rows = labels.flatMap((_, row) => (language === null || languages[row] === language ? [row] : []));
  const names = [...new Set(labels)];
  const value = normalisedMutualInformation(
    rows.map((row) => names.indexOf(labels[row]!)),
    rows.map((row) => fitted.labels[row]!),
  );
  return Number(value.toFixed(3));
}

console.log(
  JSON.stringify({
    prompts: store.count,
    seconds: Number(seconds.toFixed(1)),
    cpuSeconds: Number(((usage.userCPUTime + usage.systemCPUTime) / 1e6).toFixed(1)),
    peakMegabytes: Math.round(usage.maxRSS / 1000),
    nmi: nmi(null),
    nmiEnglish: nmi('en'),
    nmiJapanese: nmi('ja'),
    inertiaOnOurVectors: Number((fitted.heldOut.training * fitted.labels.length).toFixed(1)),
  }),
);
store.discard();
