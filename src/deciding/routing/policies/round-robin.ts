import { z } from 'zod';
import { definePolicy } from '../policy.ts';
import { availableFirst } from './order.ts';

export const roundRobin = definePolicy({
  id: 'round-robin',
  summary: 'each expert in turn, whatever the prompt',
  options: z.strictObject({}),
  rank: ({ candidates, sequence }) => {
    const first = sequence % Math.max(candidates.length, 1);
    return availableFirst([...candidates.slice(first), ...candidates.slice(0, first)]);
  },
  best: ({ candidates, sequence }) => {
    const first = sequence % candidates.length;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[(first + index) % candidates.length]!;
      if (candidate.load.available) return candidate;
    }
    return candidates[first]!;
  },
});
