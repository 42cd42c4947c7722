/** What gateways tell each other: hints, each of which may be missing, late or wrong without a request being worse off. */
import { z } from 'zod';
import type { Demand } from '../../deciding/scaling/demand.ts';
import type { Move } from '../gateway/conversations.ts';

/** Longer messages are not read: all that is bounded below fits in. */
const MOST_CHARACTERS = 1_000_000;
export const MOST_REPLICAS = 2_000;
/** In one message; those of a busy second that are more are left out. */
export const MOST_MOVES = 2_000;
/** Experts of which the demand is told. */
export const MOST_EXPERTS = 1_000;

const amount = z.number().nonnegative();
const name = z.string().max(300);

const replica = z.object({
  /** Milliseconds until its breaker lets a request through; 0 for one that is closed. */
  opensIn: amount.max(600_000).default(0),
  /** Tokens a second: finished, and read of prompts; 0 for unknown. */
  finishes: amount.default(0),
  reads: amount.default(0),
});

const demand = z.object({
  inFlight: amount,
  queued: amount,
  tokens: amount,
  queuedTokens: amount,
  seen: z.object({ inFlight: amount, tokens: amount }),
  oldestWait: amount,
  ready: amount,
  arrivingTokens: amount,
  // JSON knows no infinity: never is null.
  sinceArrival: amount.nullable().transform((seconds) => seconds ?? Number.POSITIVE_INFINITY),
  rate: amount,
  coming: z.boolean(),
}) satisfies z.ZodType<Demand>;

const hint = z.object({
  /** Of the process that tells it. */
  from: z.string().min(1).max(64),
  /** Digests of the config and of the router model in force there. */
  config: z.string().max(64),
  routerModel: z.string().max(128),
  /** By a name that is the same everywhere (`slotsKey`). */
  replicas: z.record(name, replica).refine((all) => Object.keys(all).length <= MOST_REPLICAS),
  /** What is asked of experts there, by their ids. */
  demands: z
    .record(name, demand)
    .refine((all) => Object.keys(all).length <= MOST_EXPERTS)
    .default({}),
  /** Conversations that have been answered elsewhere than their turns say. */
  moves: z.array(z.tuple([z.string().max(64), name])).max(MOST_MOVES),
});

export type ReplicaHint = z.infer<typeof replica>;

export interface Hint extends Omit<z.infer<typeof hint>, 'moves'> {
  readonly moves: readonly Move[];
}

/** Null for what is none. */
export function readHint(text: string): Hint | null {
  if (text.length > MOST_CHARACTERS) return null;
  try {
    return hint.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
