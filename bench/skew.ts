/**
 * Compares policies when half of all prompts fall on one of eight clusters: `npm run bench:skew`. The bound is the
 * throughput of eight full batches, or of all users if they do not fill them.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/core/random.ts';
import { readRouterModel } from '../src/deciding/model/artefact.ts';
import { classify } from '../src/deciding/model/classify.ts';
import { plainText } from '../src/deciding/text/routable.ts';
import type { StageResult } from '../src/load/loadtest/result.ts';
import { TOPIC_COUNT, topicText } from '../src/load/loadtest/topics.ts';
import { startExperts, startGateway } from './kit/candidates.ts';
import { put } from './kit/load.ts';
import { Bench } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    batch: { type: 'string', default: '320' },
    policies: { type: 'string', default: 'nearest,spill,least-loaded,random' },
    affinity: { type: 'string', default: '1' },
  },
});
const users = Number(values.users);
const batch = Number(values.batch);
const TOKENS_PER_SECOND = 10;
const ANSWER_TOKENS = 40;
const PROMPT_TOKENS = 40;
/** Half of the prompts have the first topic. */
const TOPICS = Array.from({ length: TOPIC_COUNT }, (_, topic) => (topic === 0 ? TOPIC_COUNT - 1 : 1));

/** The clusters that each topic's prompts fall into, so that each topic has one expert. */
function clustersByTopic(): readonly (readonly number[])[] {
  const model = readRouterModel(readFileSync('models/default.router.safetensors'));
  const random = seededRandom(7);
  const taken = new Set<number>();
  return TOPICS.map((_, topic) => {
    const found = Array.from(
      { length: 400 },
      () => classify(model, plainText(topicText(topic, PROMPT_TOKENS, random))).cluster,
    );
    const own = [...new Set(found)].filter((cluster) => !taken.has(cluster));
    for (const cluster of own) taken.add(cluster);
    return own;
  });
}

const clusters = clustersByTopic();
/** Tokens per second under perfect balance. */
const bound = Math.min(users, TOPIC_COUNT * batch) * TOKENS_PER_SECOND;
/** The popular expert can keep only what its batch holds; the others keep all of theirs. */
const canStay = 0.5 * Math.min(1, batch / (0.5 * users)) + 0.5;
const bench = new Bench();
try {
  console.log(
    `${users} users, ${TOPIC_COUNT} experts with batches of ${batch}; perfect balance: ${bound} tokens/s, ` +
      `with at most ${(100 * canStay).toFixed(0)} % of the prompts at their own expert`,
  );
  for (const policy of values.policies.split(',')) await tried(policy);
} finally {
  await bench.end();
}

async function tried(policy: string): Promise<void> {
  const experts = await startExperts(
    bench,
    TOPIC_COUNT,
    ...['--prefill', '1000000', '--tokens-per-second', String(TOKENS_PER_SECOND)],
    ...['--max-batch', String(batch), '--kv-tokens', '10000000'],
  );
  const gateway = await startGateway(bench, experts.ports, {
    workers: 1,
    settings: { policy, seconds_per_affinity: Number(values.affinity) },
    expert: (index) => ({ clusters: clusters[index], max_concurrent: batch, queue_size: 2 * users }),
  });
  let asked = 0;
  let stayed = 0;
  const result = await put({
    port: gateway.port,
    seconds: Number(values.seconds),
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    stream: true,
    promptTokens: PROMPT_TOKENS,
    answerTokens: ANSWER_TOKENS,
    topics: TOPICS,
    rampSeconds: 4,
    drainSeconds: 0,
    watch: {
      onHead: ({ headers }) => {
        const home = clusters.findIndex((own) => own.includes(Number(headers['x-expert-router-cluster'])));
        if (home < 0) return;
        asked += 1;
        if (headers['x-expert-router-expert'] === `e${home + 1}`) stayed += 1;
      },
    },
  });
  show(policy, result, stayed / asked);
  for (const { process } of [gateway, experts]) await process.end();
}

function show(policy: string, result: StageResult, own: number): void {
  const { tokens_per_second, ttft_ms, errors, errors_by_kind, client } = result;
  console.log(
    `${policy.padEnd(13)} ${tokens_per_second.toFixed(0).padStart(6)} tokens/s, ` +
      `${((100 * tokens_per_second) / bound).toFixed(0)} % of the bound; TTFT p50 ${ttft_ms.p50.toFixed(0)}, ` +
      `p99 ${ttft_ms.p99.toFixed(0)} ms; ${(100 * own).toFixed(0)} % with their own expert; ` +
      `${errors} errors${errors > 0 ? ` ${JSON.stringify(errors_by_kind)}` : ''}${client.starved ? '; the client lacked CPU' : ''}`,
  );
}
