import { z } from 'zod';
import { occupancy } from '../expected-wait.ts';
import { definePolicy } from '../policy.ts';
import { byScoreOf } from './order.ts';

export const leastLoaded = definePolicy({
  id: 'least-loaded',
  summary: 'the expert with the fewest requests for its slots; among equals the better suited',
  options: z.strictObject({}),
  ...byScoreOf(({ load }) => -occupancy(load)),
});
