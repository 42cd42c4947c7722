/** What is run twice, live and simulated, and the figures both give. Plain values. */

/** Times are the modelled hardware's: live, everything takes `slowDown` times as long. */
export interface Stage {
  readonly deployment: { readonly model: string; readonly gpu: string; readonly precision: string };
  readonly experts: number;
  readonly users: number;
  readonly seconds: number;
  /** Over which users begin. */
  readonly rampSeconds: number;
  readonly slowDown: number;
  /** Of the named mixes. */
  readonly lengths: string;
  readonly seed: number;
  /** False asks the first expert itself. */
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
