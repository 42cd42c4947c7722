/**
 * How often the built-in experts are the ones a person would have chosen, on prompts written for this purpose
 * (evaluation/routing-prompts.jsonl, none of them used in training). `npm run eval:routing`.
 */
import { readFileSync } from 'node:fs';
import { composeRouter, DEFAULT_CONFIG, idleLoads, loadRouterModel } from '../src/serving/app/compose.ts';
import { loadConfig } from '../src/serving/config/load.ts';
import { parseRequest } from '../src/serving/gateway/request.ts';

interface Judged {
  readonly prompt: string;
  readonly experts: readonly string[];
}

const config = await loadConfig(process.argv[2] ?? DEFAULT_CONFIG, process.env);
const router = await composeRouter(config, await loadRouterModel(config), idleLoads(config));
const lines = readFileSync('evaluation/routing-prompts.jsonl', 'utf8').trim().split('\n');
const judged = lines.map((line) => JSON.parse(line) as Judged);

const right = new Map<string, number>();
const asked = new Map<string, number>();
for (const { prompt, experts } of judged) {
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: prompt }] }));
  const { decision, classification } = await router.route(parseRequest('chat', body), undefined);
  const wanted = experts[0]!;
  asked.set(wanted, (asked.get(wanted) ?? 0) + 1);
  if (experts.includes(decision.expert)) right.set(wanted, (right.get(wanted) ?? 0) + 1);
  else
    console.log(
      `${wanted} -> ${decision.expert} (${classification.name}): ${prompt.replaceAll('\n', ' ').slice(0, 70)}`,
    );
}

const total = [...right.values()].reduce((sum, count) => sum + count, 0);
for (const [expert, count] of asked) console.log(`${expert}: ${right.get(expert) ?? 0} of ${count}`);
console.log(`all: ${total} of ${judged.length} (${Math.round((100 * total) / judged.length)} %)`);
