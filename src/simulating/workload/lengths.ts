/** How long prompts and answers are, in tokens: fixed, log-normal, or drawn from what was seen elsewhere. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

export interface Lengths {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** A distribution over one length. A log-normal is given by its median and its 95th percentile: what people know. */
export type LengthDistribution =
  | { readonly kind: 'fixed'; readonly tokens: number }
  | { readonly kind: 'lognormal'; readonly median: number; readonly p95: number; readonly max: number };

export type LengthModel =
  | { readonly kind: 'independent'; readonly prompt: LengthDistribution; readonly output: LengthDistribution }
  /** Pairs as observed, drawn with equal chance. */
  | { readonly kind: 'observed'; readonly pairs: readonly Lengths[] };

/** Normal quantile of 0.95. */
const Z95 = 1.6449;

/**
 * Named mixes. `c4`: documents of the C4 crawl as prompts, cut at the 2,048 tokens Llama-2 engines are built for,
 * answers of up to a few hundred tokens. `chat`: medians and tails of Azure's conversation trace of November 2023
 * (prompt p50 1,020 / p90 2,734; answer p50 129 / p90 424).
 */
export const NAMED_LENGTHS: Readonly<Record<string, LengthModel>> = {
  c4: {
    kind: 'independent',
    prompt: { kind: 'lognormal', median: 250, p95: 1400, max: 2048 },
    output: { kind: 'lognormal', median: 180, p95: 480, max: 512 },
  },
  chat: {
    kind: 'independent',
    prompt: { kind: 'lognormal', median: 1020, p95: 3600, max: 4096 },
    output: { kind: 'lognormal', median: 129, p95: 560, max: 1024 },
  },
};

export function drawLengths(model: LengthModel, random: Random): Lengths {
  if (model.kind === 'observed') return model.pairs[random.below(model.pairs.length)]!;
  return { promptTokens: draw(model.prompt, random), outputTokens: draw(model.output, random) };
}

function draw(distribution: LengthDistribution, random: Random): number {
  if (distribution.kind === 'fixed') return distribution.tokens;
  const sigma = Math.log(distribution.p95 / distribution.median) / Z95;
  const tokens = Math.round(distribution.median * Math.exp(sigma * random.normal()));
  return Math.max(1, Math.min(distribution.max, tokens));
}

/** Means, for planning without drawing: exact for what is drawn, cut tails included, by a fixed-seed sample. */
export function meanLengths(model: LengthModel, random: Random, samples = 20_000): Lengths {
  let promptTokens = 0;
  let outputTokens = 0;
  for (let i = 0; i < samples; i++) {
    const lengths = drawLengths(model, random);
    promptTokens += lengths.promptTokens;
    outputTokens += lengths.outputTokens;
  }
  return { promptTokens: promptTokens / samples, outputTokens: outputTokens / samples };
}

/** @throws {UserError} for lengths nobody can have. */
export function checkLengths(model: LengthModel): void {
  if (model.kind === 'observed') {
    if (model.pairs.length === 0) throw new UserError('lengths: the trace has no requests.');
    return;
  }
  for (const side of ['prompt', 'output'] as const) {
    const d = model[side];
    const numbers = d.kind === 'fixed' ? { tokens: d.tokens } : { median: d.median, p95: d.p95, max: d.max };
    for (const [field, value] of Object.entries(numbers))
      if (!(value >= 1 && Number.isFinite(value)))
        throw new UserError(`lengths.${side}.${field}: must be at least 1, is ${value}.`);
    if (d.kind === 'lognormal' && d.p95 < d.median)
      throw new UserError(`lengths.${side}.p95: must not lie below the median ${d.median}, is ${d.p95}.`);
  }
}

/** The lengths with their tails cut so that no request is longer than `tokens`; means below it are kept as they are. */
export function within(model: LengthModel, tokens: number): LengthModel {
  if (model.kind === 'observed')
    return { ...model, pairs: model.pairs.filter((p) => p.promptTokens + p.outputTokens <= tokens) };
  const { prompt, output } = model;
  if (prompt.kind === 'fixed' || output.kind === 'fixed') return model;
  const over = prompt.max + output.max - tokens;
  if (over <= 0) return model;
  const promptMax = Math.max(prompt.median, prompt.max - over);
  const outputMax = Math.max(1, Math.min(output.max, tokens - promptMax));
  return {
    kind: 'independent',
    prompt: { ...prompt, max: promptMax },
    output: {
      ...output,
      max: outputMax,
      median: Math.min(output.median, outputMax),
      p95: Math.max(Math.min(output.median, outputMax), Math.min(output.p95, outputMax)),
    },
  };
}
