/**
 * Measures how often the router chooses the built-in expert that a person would choose: `npm run eval:routing`. The
 * prompts were written for this purpose (evaluation/routing-prompts.jsonl); none was used in training.
 */
import { readFileSync } from 'node:fs';
import { checkConfig } from '../src/index.ts';
import { createRouter, loadRouterModel } from '../src/router.ts';

interface Judged {
  readonly prompt: string;
  readonly experts: readonly string[];
}

const { experts: configured, router: file } = await checkConfig(process.argv[2] ?? 'presets/embedded.yaml');
const router = await createRouter({ model: await loadRouterModel(file), experts: configured });
const lines = readFileSync('evaluation/routing-prompts.jsonl', 'utf8').trim().split('\n');
const judged = lines.map((line) => JSON.parse(line) as Judged);

const right = new Map<string, number>();
const asked = new Map<string, number>();
for (const { prompt, experts } of judged) {
  const { expert, classification } = router.decide(prompt);
  const wanted = experts[0]!;
  asked.set(wanted, (asked.get(wanted) ?? 0) + 1);
  if (experts.includes(expert)) right.set(wanted, (right.get(wanted) ?? 0) + 1);
  else
    console.log(
      `${wanted} -> ${expert} (${classification.name}): ${prompt.replaceAll('\n', ' ').slice(0, 70)}`,
    );
}

const total = [...right.values()].reduce((sum, count) => sum + count, 0);
for (const [expert, count] of asked) console.log(`${expert}: ${right.get(expert) ?? 0} of ${count}`);
console.log(`all: ${total} of ${judged.length} (${Math.round((100 * total) / judged.length)} %)`);
