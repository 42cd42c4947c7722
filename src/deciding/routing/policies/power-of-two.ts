import { z } from 'zod';
import { occupancy } from '../expected-wait.ts';
import { type Candidate, definePolicy } from '../policy.ts';
import { availableFirst, byScore, shuffled } from './order.ts';

/** Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001. */
export const powerOfTwo = definePolicy({
  id: 'power-of-two',
  summary: 'the less loaded of two experts drawn at random; the others follow by load',
  options: z.strictObject({}),
  rank: ({ candidates, random }) => {
    const drawn = shuffled(candidates, random);
    return availableFirst([...byLoad(drawn.slice(0, 2)), ...byLoad(drawn.slice(2))]);
  },
});

function byLoad(candidates: readonly Candidate[]): readonly Candidate[] {
  return byScore(candidates, ({ load }) => -occupancy(load));
}
