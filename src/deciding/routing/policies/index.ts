/** The policies, one line each. The config's schema, `--help` and the docs derive from this table. */
import type { AnyPolicy } from '../policy.ts';
import { leastLoaded } from './least-loaded.ts';
import { nearest } from './nearest.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { spill } from './spill.ts';

export const POLICIES: readonly AnyPolicy[] = [spill, nearest, leastLoaded, roundRobin, powerOfTwo, random];
