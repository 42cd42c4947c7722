/**
 * A policy orders experts for one request. It is a pure function of values, so that the gateway, the dry run,
 * the simulator and a property test all call the same code. It counts nothing, logs nothing, and draws its
 * randomness from the context.
 */

/** What is known of an expert's load at the moment of choosing. */
export interface LoadSnapshot {
  /** Requests in work over all replicas: ours, and others' as far as engines report them (then a fraction). */
  readonly inFlight: number;
  /** Requests waiting for admission. */
  readonly queued: number;
  /** Prompt estimate plus expected output of everything admitted or queued, in tokens. */
  readonly outstandingTokens: number;
  /** Estimated rate at which this expert finishes tokens, tokens per second; 0 when unknown. */
  readonly tokensPerSecond: number;
  /** Requests it runs at once before more have to wait, less while engines report that they are full; Infinity when unknown. */
  readonly capacity: number;
  /** Whether it can take a request at all (healthy, breaker closed). */
  readonly available: boolean;
}

export interface Candidate {
  readonly id: string;
  /** How well this expert suits the prompt: 1 for the best of all candidates, towards 0 with distance. */
  readonly affinity: number;
  readonly load: LoadSnapshot;
}

export interface RoutingContext {
  /** One uniform number in [0, 1), the only randomness a policy may use. */
  readonly random: number;
  /** Counts requests decided before this one, for policies that take turns. */
  readonly sequence: number;
  /** Seconds of waiting that one unit of affinity is worth to the operator; what `spill` trades by. */
  readonly secondsPerAffinity: number;
}

/** Returns every candidate once, best first: the tail is the fallback order. Never mutates its input. */
export type Policy = (candidates: readonly Candidate[], context: RoutingContext) => readonly Candidate[];
