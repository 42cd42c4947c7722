/** What the primary and its workers say to each other. Keys name replicas (`slotsKey`). */
import type { DrainChange, Drained } from '../fleet/drains.ts';

import type { Keeping, Signals } from '../fleet/keeping.ts';

/** In flight and outstanding tokens of a replica in one worker, or in all others. */
export type ReplicaLoad = readonly [inFlight: number, outstandingTokens: number];

export interface Loads {
  readonly replicas: Readonly<Record<string, ReplicaLoad>>;
  /** Requests in the queue, by expert. */
  readonly queued: Readonly<Record<string, number>>;
}

/** A conversation, by its hash, and the expert that has answered it. */
export type Move = readonly [key: string, expert: string];

export type ToPrimary =
  /** @property limit of the replica, over all workers */
  | { readonly type: 'want'; readonly key: string; readonly slots: number; readonly limit: number }
  | { readonly type: 'give-back'; readonly key: string; readonly slots: number }
  /** Also the sign of life: sent as often as `LOADS_EVERY_MS` says. `loads` is null where they are the same as before. */
  | { readonly type: 'alive'; readonly loads: Loads | null }
  /** What this worker sees of experts that are started and stopped as they are needed; sent when it has changed. */
  | { readonly type: 'signals'; readonly signals: Signals }
  /** Conversations that live elsewhere than their turns say, or than before; for all others. */
  | { readonly type: 'moves'; readonly moves: readonly Move[] }
  | { readonly type: 'metrics'; readonly id: number }
  /** As `registry.getMetricsAsJSON()` gives them. */
  | { readonly type: 'own-metrics'; readonly id: number; readonly metrics: readonly object[] }
  /** A question for every worker, for the dashboard. */
  | { readonly type: 'ask-all'; readonly id: number; readonly question: object }
  | { readonly type: 'own-answer'; readonly id: number; readonly answer: object }
  /** What an operator wants of all workers; answered with `done`. */
  | { readonly type: 'drain'; readonly id: number; readonly change: DrainChange }
  | { readonly type: 'reload'; readonly id: number }
  /** This worker can hear, and needs a config to begin with. */
  | { readonly type: 'begin' }
  | { readonly type: 'serving' }
  /** Ready to take up what was sent, or why not. */
  | { readonly type: 'prepared'; readonly id: number; readonly problem: string | null }
  /** The connection that came with the last message is ours; sent before anything is read from it. */
  | { readonly type: 'taken' }
  /** Nothing is left to answer here; ends once it hears `leave`. */
  | { readonly type: 'drained' };

export type ToWorker =
  | { readonly type: 'granted'; readonly key: string; readonly slots: number }
  | { readonly type: 'reclaim'; readonly key: string }
  | { readonly type: 'elsewhere'; readonly loads: Loads }
  | { readonly type: 'moves'; readonly moves: readonly Move[] }
  /** How such an expert is kept from now on. */
  | { readonly type: 'keep'; readonly expert: string; readonly keeping: Keeping }
  /** The page of all workers; null where one of them did not answer in time. */
  | { readonly type: 'metrics'; readonly id: number; readonly page: string | null }
  /** Asks for this worker's own. */
  | { readonly type: 'own-metrics'; readonly id: number }
  /** What all workers answered; null where one of them did not in time. */
  | { readonly type: 'answers'; readonly id: number; readonly answers: readonly object[] | null }
  | { readonly type: 'question'; readonly id: number; readonly question: object }
  /** All that is drained; told before the `done` of what has changed it. */
  | { readonly type: 'drains'; readonly all: readonly Drained[] }
  /** What an operator wanted is so everywhere, or why not. */
  | { readonly type: 'done'; readonly id: number; readonly problem: string | null }
  /** Comes with a socket. */
  | { readonly type: 'connection' }
  /**
   * The text of the config in force, how many workers share it, whether this one tells what all of them see, what
   * sessions are signed with, and what is drained.
   */
  | {
      readonly type: 'begin';
      readonly text: string;
      readonly workers: number;
      readonly speaks: boolean;
      readonly secret: string;
      readonly drains: readonly Drained[];
    }
  /** Make ready to serve this config with the router model of this id; the one in force stays until `commit`. */
  | { readonly type: 'prepare'; readonly id: number; readonly text: string; readonly model: string }
  | { readonly type: 'commit'; readonly id: number }
  | { readonly type: 'abandon'; readonly id: number }
  | { readonly type: 'drain' }
  /** No connection is on its way, and none will come. */
  | { readonly type: 'leave' };

/** How often loads are told. Own counts are exact at once; others' are at most this old. */
export const LOADS_EVERY_MS = 100;
