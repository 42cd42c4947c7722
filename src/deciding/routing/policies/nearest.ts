import { z } from 'zod';
import { definePolicy } from '../policy.ts';
import { byScoreOf } from './order.ts';

/** The rule of the Expert Router paper (arXiv 2404.15153). */
export const nearest = definePolicy({
  id: 'nearest',
  summary: 'the expert of the nearest cluster, whatever its load',
  options: z.strictObject({}),
  ...byScoreOf(
    ({ affinity }) => affinity,
    (affinity) => affinity,
  ),
});
