/** What one replica of a deployment gives: requests at once, and how long each takes. */

import { UserError } from '../../core/errors.ts';
import { type StepCost, stepCost } from '../cost/step.ts';
import type { Deployment } from '../deployment.ts';
import { type EngineLimits, memoryBudget } from '../memory.ts';
import { type MeanLengths, maxConcurrent, steadyState } from '../steady-state.ts';

export interface Service {
  /** Requests at once, at which a token still comes in time. */
  readonly slots: number;
  readonly tpotSeconds: number;
  readonly gpus: number;
  /** Seconds from its start to its first token, for a prompt of so many tokens that need not wait. */
  ttftSeconds(promptTokens: number): number;
}

/**
 * The most requests at once that keep the time per token: in a full batch every token takes that long, and it is taken to
 * do so in one that is not full as well.
 * @throws UserError where not even one does
 */
export function serviceOf(
  d: Deployment,
  limits: EngineLimits,
  mean: MeanLengths,
  tpotSeconds: number,
): Service {
  const budget = memoryBudget(d, limits, mean.promptTokens + mean.outputTokens);
  const most = maxConcurrent(budget, limits, mean);
  const at = (users: number) => steadyState(d, limits, mean, users);
  let slots = 0;
  for (let step = 2 ** Math.ceil(Math.log2(Math.max(1, most))); step >= 1; step /= 2)
    if (slots + step <= most && at(slots + step).tpotSeconds <= tpotSeconds) slots += step;
  if (slots === 0)
    throw new UserError(
      `--tpot: this deployment cannot write a token in ${tpotSeconds * 1000} ms; take a longer time, more GPUs a replica or another GPU.`,
    );
  const { tpotSeconds: tpot, ttftSeconds } = at(slots);
  const cost = stepCost(d);
  const usual = prefillSeconds(cost, mean.promptTokens);
  return {
    slots,
    tpotSeconds: tpot,
    gpus: d.tensorParallel,
    ttftSeconds: (prompt) => ttftSeconds + prefillSeconds(cost, prompt) - usual,
  };
}

function prefillSeconds(cost: StepCost, tokens: number): number {
  const read = Math.max(1, Math.round(tokens));
  return cost.seconds({
    decodeSequences: 0,
    decodeContext: 0,
    prefillTokens: read,
    prefillSequences: 1,
    prefillPairs: (read * (read + 1)) / 2,
    logitRows: 1,
  });
}
