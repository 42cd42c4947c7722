/** What is said between the fleet, which knows who is needed, and whoever starts and stops servers. Plain values. */

/** How an expert's server is kept. */
export type Keeping =
  /** It may be asked if it is there. */
  | { readonly state: 'open' }
  /** It is about to be stopped and gets nothing; who needs it waits for its next start. */
  | { readonly state: 'parked' }
  /** It could not be started: who needs it goes elsewhere. `problem`: without its first word and full stop. */
  | { readonly state: 'troubled'; readonly problem: string; readonly retryMs: number };

/** What one process sees of an expert. */
export interface Signal {
  /** Requests of this process that its server answers. */
  readonly inFlight: number;
  readonly queued: number;
  /** Prompts that belonged to it so far, whoever answered them. */
  readonly arrivals: number;
  /** Whether a server of it is there. */
  readonly ready: boolean;
  /** Whether some server of it is there without its model. */
  readonly unloaded?: boolean;
  /** As this process was last told. */
  readonly keeping: Keeping['state'];
}

export type Signals = Readonly<Record<string, Signal>>;
