/** What the primary and its workers say to each other. Keys name replicas: `expert/index`, for places with the config's version before it. */

/** In flight and outstanding tokens of a replica in one worker, or in all others. */
export type ReplicaLoad = readonly [inFlight: number, outstandingTokens: number];

export interface Loads {
  readonly replicas: Readonly<Record<string, ReplicaLoad>>;
  /** Requests waiting, by expert. */
  readonly queued: Readonly<Record<string, number>>;
}

export type ToPrimary =
  | { readonly type: 'want'; readonly key: string; readonly places: number; readonly limit: number }
  | { readonly type: 'give-back'; readonly key: string; readonly places: number }
  | { readonly type: 'loads'; readonly loads: Loads }
  | { readonly type: 'metrics'; readonly id: number }
  /** This worker can hear, and needs a config to begin with. */
  | { readonly type: 'begin' }
  | { readonly type: 'serving' }
  /** Ready to take up what was sent, or why not. */
  | { readonly type: 'prepared'; readonly id: number; readonly problem: string | null }
  /** The connection that came with the last message is ours; sent before anything is read from it. */
  | { readonly type: 'taken' };

export type ToWorker =
  | { readonly type: 'granted'; readonly key: string; readonly places: number }
  | { readonly type: 'reclaim'; readonly key: string }
  | { readonly type: 'elsewhere'; readonly loads: Loads }
  | { readonly type: 'metrics'; readonly id: number; readonly page: string }
  /** Comes with a socket. */
  | { readonly type: 'connection' }
  /** The text of the config in force, how many workers share it, and whether this one tells what all of them see. */
  | { readonly type: 'begin'; readonly text: string; readonly workers: number; readonly speaks: boolean }
  /** Make ready to serve this config with the router model of this id; the one in force stays until `commit`. */
  | { readonly type: 'prepare'; readonly id: number; readonly text: string; readonly model: string }
  | { readonly type: 'commit'; readonly id: number }
  | { readonly type: 'abandon'; readonly id: number }
  | { readonly type: 'drain' };

/** How often loads are told. Own counts are exact at once; others' are at most this old. */
export const LOADS_EVERY_MS = 100;

/** A reloaded config has places of its own: the old ones go with the requests that still hold them. */
export const placesKey = (version: string, expert: string, index: number): string =>
  `${version}:${expert}/${index}`;
