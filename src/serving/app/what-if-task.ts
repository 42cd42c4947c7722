/** One replay, from plain values: what the thread of a *What if* does. Started by `what-if.ts` alone. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../core/errors.ts';
import { spaceId } from '../../deciding/model/artefact.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { bindChoice, type PolicyChoice } from '../../deciding/routing/policy-choice.ts';
import type { WhatIfAsked } from '../../replaying/asked.ts';
import { calibrated } from '../../replaying/calibrated.ts';
import type { Notice } from '../../replaying/notices.ts';
import { readDecisions, replayOf } from '../../replaying/recorded.ts';
import {
  asItWas,
  changedFleet,
  reallyOutcome,
  type SimulatedFleet,
  simulated,
  type WhatIfAnswer,
} from '../../replaying/what-if.ts';
import type { EngineName } from '../../simulating/cost/efficiency.ts';
import type { MeasuredConstants } from '../../simulating/cost/measured.ts';
import { pricesFrom } from '../../simulating/planner/prices.ts';
import type { Config } from '../config/schema.ts';
import type { DecisionLine } from '../records/record.ts';
import { composeRouter, idleLoads, loadRouterModel } from './compose.ts';

export interface WhatIfTask {
  readonly config: Config;
  readonly asked: WhatIfAsked;
  /** File of the router model that would decide. */
  readonly router: string;
}

export type WhatIfTold = { readonly answer: WhatIfAnswer } | { readonly refused: string };

/** Refuses in words what cannot be replayed. */
export async function replayTask(task: WhatIfTask): Promise<WhatIfTold> {
  try {
    return { answer: await replay(task) };
  } catch (error) {
    if (error instanceof UserError) return { refused: error.message };
    throw error;
  }
}

async function replay({ config, asked, router: file }: WhatIfTask): Promise<WhatIfAnswer> {
  const { change, experts, minutes } = asked;
  const router = await routerOf(config);
  const decisions = await readDecisions(config.records!.dir, router.model, minutes * 60_000);
  const load = replayOf(decisions, router);
  const other = await routerOf({ ...config, router: file });
  if (spaceId(other.model) !== spaceId(router.model))
    throw new UserError(
      'change.router: it reads prompts with another embedding, so recorded vectors mean nothing to it.',
    );
  const { fleet, outcome } = asItWas(load, {
    experts,
    slots: slotsOf(config),
    engines: enginesOf(config),
    measured: measuredOf(decisions.lines, experts),
    policy: bindChoice(POLICIES, config.policy),
    prices: pricesFrom(undefined),
  });
  const changed = replayOf(decisions, other, other.model.id === router.model.id);
  return {
    recorded: reallyOutcome(load.really),
    as_was: outcome,
    changed: simulated(changed, {
      ...changedFleet(fleet, change.experts),
      policy: change.policy === undefined ? fleet.policy : bindChoice(POLICIES, choiceOf(change.policy)),
    }),
    notices: [...load.notices, ...timedBy(fleet, load.experts)],
  };
}

async function routerOf(config: Config) {
  return composeRouter(config, await loadRouterModel(config), idleLoads(config));
}

function choiceOf(policy: string | PolicyChoice): PolicyChoice {
  return typeof policy === 'string' ? { name: policy } : policy;
}

/** Of experts that records tell enough of. */
function measuredOf(
  lines: readonly DecisionLine[],
  experts: WhatIfAsked['experts'],
): Readonly<Record<string, MeasuredConstants>> {
  return Object.fromEntries(
    Object.entries(experts).flatMap(([id, { replicas }]) => {
      const found = calibrated(lines, id, replicas);
      return found === null ? [] : [[id, found]];
    }),
  );
}

function timedBy({ measured }: SimulatedFleet, experts: readonly string[]): readonly Notice[] {
  const isTimed = (id: string): boolean => Object.hasOwn(measured, id);
  const [timed, modelled] = [experts.filter(isTimed), experts.filter((id) => !isTimed(id))];
  return [
    ...(timed.length > 0 ? [{ kind: 'timed', experts: timed } as const] : []),
    ...(modelled.length > 0 ? [{ kind: 'modelled', experts: modelled } as const] : []),
  ];
}

/** As far as the config tells. */
function enginesOf({ experts }: Config): Readonly<Record<string, EngineName>> {
  return Object.fromEntries(
    experts.flatMap(({ id, kind, quirks }): [string, EngineName][] => {
      if (kind === 'triton' || quirks === 'trtllm') return [[id, 'tensorrt-llm']];
      return quirks === 'sglang' ? [[id, 'sglang']] : [];
    }),
  );
}

function slotsOf({ experts }: Config): Readonly<Record<string, number>> {
  return Object.fromEntries(
    experts.flatMap(({ id, max_concurrent: most }) => (most === undefined ? [] : [[id, most]])),
  );
}

if (!isMainThread && parentPort !== null && (workerData as WhatIfTask | null)?.asked)
  void replayTask(workerData as WhatIfTask).then((told) => parentPort!.postMessage(told));
