/** A stage that is run twice, live and simulated, and the figures of both. */

/** Times are those of the modelled hardware; live, everything takes `slowDown` times as long. */
export interface Stage {
  readonly deployment: { readonly model: string; readonly gpu: string; readonly precision: string };
  readonly experts: number;
  readonly users: number;
  readonly seconds: number;
  /** Time over which users start. */
  readonly rampSeconds: number;
  readonly slowDown: number;
  /** Name of a length mix. */
  readonly lengths: string;
  readonly seed: number;
  /** False sends requests directly to the first expert. */
  readonly gateway: boolean;
}

/** Milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly mean: number;
}

export interface Figures {
  /** To the first token. */
  readonly ttft: Spread;
  /** Per token after the first. */
  readonly tpot: Spread;
  /** After the ramp. */
  readonly tokensPerSecond: number;
}
