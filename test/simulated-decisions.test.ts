/**
 * The simulator decides as the gateway does: a simulated run's choices, made again by the gateway from the same loads,
 * prompts and conversations, are the same in every rank and figure.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../src/deciding/model/classify.ts';
import type { Decision } from '../src/deciding/routing/decide.ts';
import { POLICIES } from '../src/deciding/routing/policies/index.ts';
import type { BoundPolicy } from '../src/deciding/routing/policy.ts';
import { bindChoice } from '../src/deciding/routing/policy-choice.ts';
import { chooseReplica } from '../src/deciding/routing/replica.ts';
import { composeRouter, loadRouterModel } from '../src/serving/app/compose.ts';
import { parseConfig } from '../src/serving/config/load.ts';
import type { Ask } from '../src/serving/dialects/ask.ts';
import { readAsk } from '../src/serving/dialects/index.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { Names } from '../src/serving/gateway/names.ts';
import { type Routed, Router } from '../src/serving/gateway/router.ts';
import { deployment } from '../src/simulating/deployment.ts';
import { type Choice, simulateFleet } from '../src/simulating/fleet/event-loop.ts';
import type { FleetScenario } from '../src/simulating/fleet/scenario.ts';
import { DEFAULT_LIMITS } from '../src/simulating/memory.ts';

const IDS = ['code', 'maths', 'law', 'any'];
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  code: 'description: Writes and debugs programs',
  maths: 'description: "Mathematics, calculation"',
  law: 'description: "Law, contracts, history"',
  any: 'fallback: true',
};
const CONFIG = (policy: string) =>
  parseConfig(
    `policy: ${policy}\nexperts:\n${IDS.map((id) => `  - { id: ${id}, kind: openai, url: "http://127.0.0.1:9", ${DESCRIPTIONS[id]} }`).join('\n')}`,
    'test.yaml',
    {},
  );

/** The last two are unlike anything the router model knows. */
const TEXTS = [
  ...readFileSync('evaluation/routing-prompts.jsonl', 'utf8')
    .trim()
    .split('\n')
    .slice(0, 60)
    .map((line) => (JSON.parse(line) as { readonly prompt: string }).prompt),
  'zxqv wqkj plrt',
  'qqxz',
];

/** Every prompt alone, after another one, and after two others: conversations that stay, move and come back. */
const REQUESTS: readonly Ask[] = TEXTS.flatMap((_, index) =>
  [1, 2, 3].map((length) => {
    const turns = Array.from({ length }, (_, turn) => TEXTS[(index + 7 * turn) % TEXTS.length]!);
    const messages = turns.flatMap((content, turn) => [
      ...(turn > 0 ? [{ role: 'assistant', content: 'Yes.' }] : []),
      { role: 'user', content },
    ]);
    return readAsk(openAiChat, Buffer.from(JSON.stringify({ messages })));
  }),
);

const model = await loadRouterModel({ cluster_names: {} });
/** The same for every policy. */
const { territory } = await composeRouter(CONFIG('nearest'), model, () => []);

/** The gateway reads a request's length from its body, which has nothing to do with the simulated one. */
function alike(policy: BoundPolicy): BoundPolicy {
  const request = { promptTokens: 300, outputTokens: 200, prefixKey: null, priority: 0, deadline: 600 };
  return { ...policy, rank: (context) => policy.rank({ ...context, request }) };
}

/** Without what follows from the length. */
function lengthless(decision: Decision): unknown {
  const unavailable = decision.spilledFor === 'unavailable';
  return {
    ...decision,
    spilledFor: unavailable,
    ranking: decision.ranking.map(({ cost: _, ...one }) => one),
  };
}

function scenario(policy: string, seed: number, perSecond: number): FleetScenario {
  const config = CONFIG(policy);
  return {
    experts: IDS.map((id) => ({
      id,
      deployment: deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' }),
      replicas: 2,
      limits: DEFAULT_LIMITS,
      admission: 'guaranteed-no-evict',
      chunkedPrefill: true,
      slots: 2,
    })),
    shares: REQUESTS.map(() => 1 / REQUESTS.length),
    prompts: {
      ...territory,
      turns: REQUESTS.map(({ turns }) => turns.map((turn) => classify(model, turn))),
    },
    arrivals: { kind: 'poisson', perSecond },
    lengths: {
      kind: 'independent',
      prompt: { kind: 'lognormal', median: 300, p95: 900, max: 2000 },
      output: { kind: 'lognormal', median: 200, p95: 600, max: 1000 },
    },
    policy: alike(bindChoice(POLICIES, config.policy)),
    seconds: 10,
    warmupSeconds: 0,
    seed,
  };
}

/** The same choices by a gateway that sees, one after the other, the loads and random numbers they were made from. */
function byGateway(policy: string, choices: readonly Choice[]): readonly Decision[] {
  const config = CONFIG(policy);
  let current = choices[0]!;
  const router = new Router({
    model,
    names: new Names(territory.experts),
    choices: new Map(),
    territory,
    policy: alike(bindChoice(POLICIES, config.policy)),
    locality: { experts: new Set(), clusters: new Set() },
    requestTimeout: config.request_timeout,
    loads: () => current.loads,
    random: () => current.random,
  });
  return choices.map((choice) => {
    current = choice;
    return (router.route(REQUESTS[choice.prompt]!, undefined) as Routed).decision;
  });
}

function recorded(policy: string, seed: number, perSecond: number): readonly Choice[] {
  const choices: Choice[] = [];
  simulateFleet(scenario(policy, seed, perSecond), (choice) => choices.push(choice));
  return choices;
}

describe('a simulated decision', () => {
  it('is made from every reason and under load, so that the comparison below says something', () => {
    const choices = ['nearest', 'spill'].flatMap((policy) => recorded(policy, 1, 60));
    expect(new Set(choices.map(({ decision }) => decision.reason))).toEqual(
      new Set(['nearest-cluster', 'conversation', 'outside', 'spilled']),
    );
    expect(new Set(choices.map(({ replica }) => replica))).toEqual(new Set([0, 1]));
    const affinities = choices.flatMap(({ decision }) => decision.ranking.map(({ affinity }) => affinity));
    expect(affinities).toContain(0.9); // nearly at home, but capped
  });

  it('falls to the replica that the gateway would choose, in conversations and out of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1000), (replicas, seed) => {
        const base = scenario('spill', seed, 80);
        const run: FleetScenario = {
          ...base,
          experts: base.experts.map((expert) => ({ ...expert, replicas })),
          ...(seed % 2 ? {} : { turns: 3, arrivals: { kind: 'closed', users: 150, thinkSeconds: 0 } }),
        };
        simulateFleet(run, (choice) => {
          expect(choice.replica).toBe(chooseReplica(choice.replicas, choice.request.prefixKey));
        });
      }),
      {
        numRuns: 8,
        examples: [
          [8, 1],
          [8, 2],
        ],
      },
    );
  });

  it('is made without a ranking where nobody watches, and the run is the same', () => {
    for (const { id } of POLICIES) {
      const run = { ...scenario(id, 3, 60), policy: bindChoice(POLICIES, CONFIG(id).policy) };
      expect(simulateFleet(run)).toEqual(simulateFleet(run, () => {}));
    }
  });

  it('is the gateway’s own: reason, ranking and figures, under every policy and any load', () => {
    const policies = ['{ name: spill, seconds_per_affinity: 30 }', ...POLICIES.map(({ id }) => id)];
    const anyRun = fc.tuple(fc.constantFrom(...policies), fc.nat(1000), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(anyRun, ([policy, seed, perSecond]) => {
        const choices = recorded(policy, seed, perSecond);
        expect(byGateway(policy, choices).map(lengthless)).toEqual(
          choices.map(({ decision }) => lengthless(decision)),
        );
      }),
      { numRuns: 12, examples: policies.map((policy) => [[policy, 1, 40]]) },
    );
  });
});
