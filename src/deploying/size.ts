/** The limits an engine is started with, from the memory model that `expert-router plan` uses. */
import { UserError } from '../core/errors.ts';
import type { Deployment } from '../simulating/deployment.ts';
import { requireFit } from '../simulating/fit.ts';
import type { EngineLimits } from '../simulating/memory.ts';
import { type PlanFigures, planFigures } from '../simulating/planner/figures.ts';
import type { MeanLengths } from '../simulating/steady-state.ts';

export interface EngineSize {
  readonly deployment: Deployment;
  readonly figures: PlanFigures;
  /** Sequences per step: as many as the cache holds at the mean lengths; more would only queue in the engine. */
  readonly maxBatch: number;
  /** Tokens per step. */
  readonly maxTokens: number;
  /** Prompt and answer of one request together, tokens. */
  readonly maxSequence: number;
  /** Share of the memory left after loading that becomes the cache. */
  readonly kvFraction: number;
}

/** Default limit of a request's length: long enough for most, short enough to leave room for a large batch. */
export const DEFAULT_CONTEXT = 8192;

/** The largest useful batch: the engine's limit, but no more than its cache holds. */
export function usefulBatch(limits: EngineLimits, maxConcurrent: number): number {
  return Math.min(limits.maxBatch, maxConcurrent);
}

/**
 * @param context longest request in tokens; {@link DEFAULT_CONTEXT} or what the model was trained for when absent
 * @throws {UserError} when the model does not fit, or the lengths contradict each other
 */
export function engineSize(
  d: Deployment,
  limits: EngineLimits,
  lengths: MeanLengths,
  context = Math.min(DEFAULT_CONTEXT, d.model.maxContext),
): EngineSize {
  if (context > d.model.maxContext)
    throw new UserError(
      `--context: ${context} tokens are more than the ${d.model.maxContext} that ${d.model.name} was trained for.`,
    );
  const mean = lengths.promptTokens + lengths.outputTokens;
  if (mean > context)
    throw new UserError(
      `--input, --output: mean lengths of ${mean} tokens do not fit into --context ${context}; shorten them or raise it.`,
    );
  requireFit(d, limits, context);
  const figures = planFigures(d, limits, lengths);
  return {
    deployment: d,
    figures,
    maxBatch: usefulBatch(limits, figures.max_concurrent),
    maxTokens: limits.maxTokens,
    maxSequence: context,
    kvFraction: limits.kvFraction,
  };
}
