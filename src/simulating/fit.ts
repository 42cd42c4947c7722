/** Whether a deployment holds a sequence at all, and which one next to it does where it does not. */
import { UserError } from '../core/errors.ts';
import { type Deployment, describeDeployment, possibleDegrees, runsOn } from './deployment.ts';
import { findGpu, GPU_NAMES } from './hardware/gpu.ts';
import { PRECISIONS, type Precision, precisionOf, supports } from './hardware/precision.ts';
import { type EngineLimits, type MemoryBudget, memoryBudget } from './memory.ts';

/** @throws {UserError} when not even one sequence of `tokens` tokens fits; says what is missing and what would fit. */
export function requireFit(d: Deployment, limits: EngineLimits, tokens: number): MemoryBudget {
  const budget = budgetFor(d, limits, tokens);
  if (budget.kvTokens >= tokens) return budget;
  const needed = tokens * budget.kvBytesPerToken - budget.kvCache;
  const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);
  const near = nearestFit(d, limits, tokens);
  throw new UserError(
    `model: ${describeDeployment(d)} does not fit: each GPU has ${gb(budget.total)} GB, weights take ${gb(budget.weights)} GB, ` +
      `activations and reserve ${gb(budget.reserve)} GB; ${gb(needed)} GB too little for one sequence of ${tokens} tokens. ` +
      (near
        ? `The nearest that fits: ${describeDeployment(near)}.`
        : 'Nothing of the table fits: shorten the sequences or take a smaller model.'),
  );
}

function budgetFor(d: Deployment, limits: EngineLimits, tokens: number): MemoryBudget {
  return memoryBudget(d, limits, Math.max(tokens, limits.blockTokens));
}

/**
 * More of the same GPUs; else 8-bit weights on them; else the GPU with the least memory that will do; else 4-bit weights.
 */
function nearestFit(d: Deployment, limits: EngineLimits, tokens: number): Deployment | undefined {
  const fits = (one: Deployment): boolean => budgetFor(one, limits, tokens).kvTokens >= tokens;
  const degrees = possibleDegrees(d.model, d.expertParallel).filter((tp) => tp >= d.tensorParallel);
  const inBits = (...precisions: readonly Precision[]): readonly Deployment[] =>
    precisions
      .filter((p) => p.weightBytes < d.precision.weightBytes && supports(d.gpu, p))
      .map((p) => precisionOf(d.model, p))
      .flatMap((precision) => degrees.map((tensorParallel) => ({ ...d, precision, tensorParallel })));
  const larger = GPU_NAMES.map(findGpu)
    .filter(({ memoryBytes }) => memoryBytes > d.gpu.memoryBytes)
    .sort((a, b) => a.memoryBytes - b.memoryBytes);
  const all = [
    ...degrees.map((tensorParallel) => ({ ...d, tensorParallel })),
    ...inBits(PRECISIONS.fp8, PRECISIONS.int8),
    ...larger
      .filter((gpu) => supports(gpu, d.precision) && runsOn(d.engine, gpu))
      .flatMap((gpu) => degrees.map((tensorParallel) => ({ ...d, gpu, tensorParallel }))),
    ...inBits(PRECISIONS.fp4, PRECISIONS.int4),
  ];
  return all.find(fits);
}
