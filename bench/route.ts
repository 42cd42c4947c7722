/**
 * Measures the cost of one decision, for prompts of 200 B to 2 MB of real text: `npm run bench:route -- --corpora
 * <folder>`. Only the pure function, without HTTP.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readRouterModel } from '../src/deciding/model/artefact.ts';
import { classify } from '../src/deciding/model/classify.ts';
import { explain } from '../src/deciding/model/explain.ts';
import { plainText, type RoutableText } from '../src/deciding/text/routable.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/default.router.safetensors' },
    corpora: { type: 'string' },
  },
});

const SIZES = [200, 2_000, 20_000, 200_000, 2_000_000];
const TEXTS = 64;

/** English and Japanese prompts, alternating and repeated; without corpora, the repository's own prose. */
function material(): string {
  if (values.corpora === undefined) return readFileSync('README.md', 'utf8').repeat(400);
  const english = readFileSync(join(values.corpora, 'en/arena-hard/v2.0.question.jsonl'), 'utf8');
  const japanese = readFileSync(join(values.corpora, 'ja/instruction_ja/data.jsonl'), 'utf8');
  return `${english}${japanese}`.repeat(3);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function measure(
  texts: readonly RoutableText[],
  rounds: number,
  act: (text: RoutableText) => void,
): number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    act(texts[round % texts.length]!);
    times.push((performance.now() - started) * 1000);
  }
  return times.slice(Math.floor(rounds / 5)).sort((a, b) => a - b);
}

const started = performance.now();
const model = readRouterModel(readFileSync(values.model));
console.log(`model ${model.id}, loaded in ${(performance.now() - started).toFixed(1)} ms`);
const all = material();
console.log('bytes      p50 µs   p99 µs   with explanation, p50 µs');
for (const size of SIZES) {
  const texts = Array.from({ length: TEXTS }, (_, index) => {
    const from = Math.floor((index * Math.max(0, all.length - size)) / TEXTS);
    return plainText(all.slice(from, from + size));
  });
  const times = measure(texts, size > 10_000 ? 1_000 : 8_000, (text) => classify(model, text));
  const explained = measure(texts, 400, (text) => explain(model, text, classify(model, text)));
  console.log(
    [
      String(size).padEnd(10),
      percentile(times, 0.5).toFixed(0).padStart(6),
      percentile(times, 0.99).toFixed(0).padStart(8),
      percentile(explained, 0.5).toFixed(0).padStart(10),
    ].join(' '),
  );
}
