import { z } from 'zod';
import { definePolicy } from '../policy.ts';
import { availableFirst, shuffled } from './order.ts';

/** The null hypothesis of every comparison. */
export const random = definePolicy({
  id: 'random',
  summary: 'any expert, each as likely as the others',
  options: z.strictObject({}),
  rank: (context) => availableFirst(shuffled(context.candidates, context.random)),
});
