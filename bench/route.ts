/**
 * Measures the cost of one decision, for prompts of 200 B to 2 MB of real text: `npm run bench:route -- --corpora
 * <folder>`. Only the pure function, without HTTP. Then the same for a conversation of 30 turns, whose requests carry
 * their earlier turns again, with and without remembering those.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readRouterModel } from '../src/deciding/model/artefact.ts';
import { classify, classifyAll } from '../src/deciding/model/classify.ts';
import { explain } from '../src/deciding/model/explain.ts';
import { plainText, type RoutableText, routableTurns } from '../src/deciding/text/routable.ts';
import { TurnCache } from '../src/serving/gateway/turn-cache.ts';

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

const TURNS = 30;
const CONVERSATIONS = 40;
const TURN_BYTES = 400;

/** What each of a conversation's requests gives to classify. */
function conversation(number: number): readonly (readonly RoutableText[])[] {
  const start = number * 2 * TURNS * TURN_BYTES;
  const messages = Array.from({ length: 2 * TURNS - 1 }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: all.slice(start + at * TURN_BYTES, start + (at + 1) * TURN_BYTES),
  }));
  return Array.from({ length: TURNS }, (_, turn) =>
    routableTurns('chat', { messages: messages.slice(0, 2 * turn + 1) }),
  );
}

/** Microseconds for all requests of a conversation, the median of many. */
function perConversation(decider: () => (turns: readonly RoutableText[]) => unknown): number {
  const times = Array.from({ length: CONVERSATIONS }, (_, number) => {
    const requests = conversation(number);
    const decide = decider();
    const begun = performance.now();
    for (const turns of requests) decide(turns);
    return (performance.now() - begun) * 1000;
  });
  return percentile(
    times.sort((a, b) => a - b),
    0.5,
  );
}

const anew = perConversation(() => (turns) => classifyAll(model, turns));
const remembered = perConversation(() => {
  const cache = new TurnCache(model);
  return (turns) => cache.classify(turns);
});
console.log(
  `a conversation of ${TURNS} turns of ${TURN_BYTES} bytes: ${(anew / 1000).toFixed(1)} ms anew, ${(remembered / 1000).toFixed(1)} ms remembered`,
);
