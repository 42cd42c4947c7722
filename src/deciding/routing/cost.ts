/** What it costs to let an expert answer, in seconds: the one score by which `spill` chooses and `route` explains. */
import { expectedWait } from './expected-wait.ts';
import type { Candidate, RequestView } from './policy.ts';

export interface Cost {
  /** Seconds that the fit it lacks is worth. */
  readonly fit: number;
  /** Seconds until the request would start. */
  readonly wait: number;
  /** Seconds to load its LoRA adapter into GPU memory. */
  readonly load: number;
  /** Seconds to read what of the prompt is not in its KV cache. */
  readonly prefill: number;
  /** The sum. */
  readonly total: number;
}

/** Seconds of waiting that one unit of affinity is worth, where nobody says otherwise. */
export const SECONDS_PER_AFFINITY = 1;

/** Tokens of prompt an expert reads a second until that has been measured: an 8B model on a data-centre GPU, roughly. */
export const PREFILL_TOKENS_PER_SECOND = 5_000;

/**
 *   cost = S · (1 − affinity) · turns + wait + load + prefill
 *
 * S being `seconds_per_affinity`, turns those for which the lack counts (1, but `TURNS_OF_A_SUBJECT` where the conversation
 * has just turned to another subject), wait as in `expectedWait`, load as its engine tells, and prefill = (1 − warmth · kept) · n / r for a prompt of
 * n tokens that the expert reads at r tokens a second; `warmth` is what it has read before of it, `kept` what of that its
 * cache still holds.
 */
export function costOf(
  { affinity, warmth, lasting = 1, load }: Candidate,
  { promptTokens }: Pick<RequestView, 'promptTokens'>,
  secondsPerAffinity: number = SECONDS_PER_AFFINITY,
): Cost {
  const fit = secondsPerAffinity * (1 - affinity) * lasting;
  const wait = expectedWait(load);
  const rate = load.prefillTokensPerSecond || PREFILL_TOKENS_PER_SECOND;
  const cached = (warmth ?? 0) * (load.cachedShare ?? 1);
  const prefill = ((1 - cached) * promptTokens) / rate;
  const loading = load.loadsIn ?? 0;
  return { fit, wait, load: loading, prefill, total: fit + wait + loading + prefill };
}
