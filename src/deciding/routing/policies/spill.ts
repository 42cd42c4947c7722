import { z } from 'zod';
import { expectedWait } from '../expected-wait.ts';
import { definePolicy } from '../policy.ts';
import { byScore } from './order.ts';

/**
 * The best trade of affinity against waiting: score = affinity − wait / S, S being the seconds of waiting that one
 * unit of affinity is worth. At S → ∞ it is `nearest`; at S → 0 it chooses the expert that is free soonest.
 */
export const spill = definePolicy({
  id: 'spill',
  summary: 'the nearest expert, until waiting for it costs more than going elsewhere',
  options: z.strictObject({
    seconds_per_affinity: z
      .number()
      .positive()
      .default(1)
      .describe('seconds of waiting worth one unit of affinity; score = affinity − wait / this'),
  }),
  rank: ({ candidates }, { seconds_per_affinity }) =>
    byScore(candidates, ({ affinity, load }) => affinity - expectedWait(load) / seconds_per_affinity),
});
