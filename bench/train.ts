/**
 * Compares training with scikit-learn on the same prompts: `npm run bench:train -- --corpora <folder> --python
 * <venv/bin/python> --sizes 10000,100000`. Runs one after the other and prints a Markdown table.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { labelledPrompts } from '../evaluation/labelled.ts';
import { perturbed } from './perturbed.ts';

const { values } = parseArgs({
  options: {
    corpora: { type: 'string' },
    python: { type: 'string' },
    sizes: { type: 'string', default: '10000,100000' },
    clusters: { type: 'string', default: '64' },
    /** Above this many prompts scikit-learn is not run. */
    'scikit-most': { type: 'string', default: '100000' },
  },
});
if (values.corpora === undefined) throw new Error('give the folder of the corpora: --corpora <folder>');

const folder = mkdtempSync(join(tmpdir(), 'bench-train-'));
console.log('| prompts | who | seconds | CPU s | peak MB | NMI all | en | ja | inertia on our vectors |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const size of values.sizes.split(',').map(Number)) {
  const prompts = join(folder, `${size}.jsonl`);
  const vectors = join(folder, `${size}.f32`);
  writeLines(prompts, size);
  row(
    size,
    'expert-router',
    run(process.execPath, [join(import.meta.dirname, 'train-one.js'), prompts, values.clusters, vectors]),
  );
  if (values.python === undefined || size > Number(values['scikit-most'])) continue;
  const script = join(process.cwd(), 'bench/train-scikit.py');
  const own = size <= 100_000 ? ['--vectors', vectors] : [];
  row(
    size,
    'scikit-learn KMeans',
    run(values.python, [script, prompts, '--clusters', values.clusters, ...own]),
  );
  row(
    size,
    'scikit-learn MiniBatchKMeans',
    run(values.python, [script, prompts, '--mini-batch', '--clusters', values.clusters, ...own]),
  );
}
rmSync(folder, { recursive: true });

function writeLines(path: string, size: number): void {
  const lines: string[] = [];
  for (const prompt of perturbed(labelledPrompts(values.corpora!), size, 1))
    lines.push(JSON.stringify(prompt));
  writeFileSync(path, lines.join('\n'));
}

interface Result {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  readonly nmi: number | null;
  readonly nmiEnglish: number | null;
  readonly nmiJapanese: number | null;
  readonly inertiaOnOurVectors?: number;
  readonly secondsOnOurVectors?: number;
}

function run(command: string, args: readonly string[]): Result {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Result;
}

function row(size: number, who: string, result: Result): void {
  const { seconds, cpuSeconds, peakMegabytes, nmi, nmiEnglish, nmiJapanese, inertiaOnOurVectors } = result;
  const cells = [
    size,
    who,
    seconds,
    cpuSeconds,
    peakMegabytes,
    nmi,
    nmiEnglish,
    nmiJapanese,
    inertiaOnOurVectors ?? '',
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
