import { z } from 'zod';
import { costOf, SECONDS_PER_AFFINITY } from '../cost.ts';
import { definePolicy } from '../policy.ts';
import { byScoreOf } from './order.ts';

/**
 * The expert that costs least, in seconds (`costOf`): the fit it lacks at S seconds a unit, waiting for it, and reading
 * what it has not cached. At S → ∞ it is `nearest`; at S → 0 it chooses the expert that can begin to answer soonest.
 */
export const spill = definePolicy({
  id: 'spill',
  summary:
    'the best suited expert, until waiting for it, or reading the conversation anew, costs more than going elsewhere',
  options: z.strictObject({
    seconds_per_affinity: z
      .number()
      .positive()
      .default(SECONDS_PER_AFFINITY)
      .describe('seconds worth one unit of affinity; cost = this × (1 − affinity) + wait + prefill'),
  }),
  secondsPerAffinity: ({ seconds_per_affinity }) => seconds_per_affinity,
  ...byScoreOf(
    (candidate, request, { seconds_per_affinity }: { readonly seconds_per_affinity: number }) =>
      -costOf(candidate, request, seconds_per_affinity).total,
    (affinity, { seconds_per_affinity }) => -(seconds_per_affinity * (1 - affinity)),
  ),
});
