/** The same stage in the simulator, request by request with the lengths that the load test draws. */
import { seededRandom } from '../../src/core/random.ts';
import { roundRobin } from '../../src/deciding/routing/policies/round-robin.ts';
import { bindPolicy } from '../../src/deciding/routing/policy.ts';
import { generated } from '../../src/load/loadtest/prompts.ts';
import { TOPIC_COUNT } from '../../src/load/loadtest/topics.ts';
import { deployment } from '../../src/simulating/deployment.ts';
import { simulateFleet } from '../../src/simulating/fleet/event-loop.ts';
import { type StageMeasures, TIMELINE_PARTS } from '../../src/simulating/fleet/measures.ts';
import { ringPrompts } from '../../src/simulating/fleet/prompts.ts';
import type { ReplayedRequest } from '../../src/simulating/fleet/scenario.ts';
import { DEFAULT_LIMITS } from '../../src/simulating/memory.ts';
import { zipfShares } from '../../src/simulating/workload/clusters.ts';
import { NAMED_LENGTHS } from '../../src/simulating/workload/lengths.ts';
import type { Figures, Stage } from './stage.ts';

/** More than any stage sends. */
const REQUESTS = 20_000;

export function simulateStage(stage: Stage): Figures {
  const { users, seconds, seed } = stage;
  const experts = stage.gateway ? stage.experts : 1;
  const d = deployment(stage.deployment);
  const measures = simulateFleet({
    experts: Array.from({ length: experts }, (_, i) => ({
      id: `expert-${i + 1}`,
      deployment: d,
      replicas: 1,
      limits: DEFAULT_LIMITS,
      admission: 'guaranteed-no-evict',
      chunkedPrefill: true,
    })),
    shares: zipfShares(experts, 0),
    prompts: ringPrompts(experts, experts),
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    lengths: NAMED_LENGTHS[stage.lengths]!,
    replay: drawnRequests(stage),
    policy: bindPolicy(roundRobin),
    seconds,
    warmupSeconds: 0,
    seed,
  });
  return {
    ttft: measures.ttft_ms,
    tpot: measures.tpot_ms,
    tokensPerSecond: tokensAfter(stage.rampSeconds, measures, stage),
  };
}

/** The load test's own prompts, in the order in which it sends them; a generated token is a word and a space. */
function drawnRequests({ lengths, seed }: Stage): readonly ReplayedRequest[] {
  const random = seededRandom(seed).fork(0);
  const questions = generated(NAMED_LENGTHS[lengths]!, zipfShares(TOPIC_COUNT, 0), null, random);
  return Array.from({ length: REQUESTS }, () => {
    const { messages, maxTokens } = questions();
    const { content } = messages[0] as { content: string };
    return { promptTokens: content.split(' ').length - 1, outputTokens: maxTokens! };
  });
}

/** Output tokens per second from second `from` on; the load test also counts from the end of its ramp. */
function tokensAfter(from: number, { experts }: StageMeasures, { seconds }: Stage): number {
  const first = Math.ceil((from / seconds) * TIMELINE_PARTS);
  const parts = experts.flatMap(({ timeline }) => timeline.slice(first));
  return parts.reduce((sum, part) => sum + part.tokens_per_second, 0) / (TIMELINE_PARTS - first);
}
