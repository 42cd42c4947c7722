/** The seam between an emulated server and a cost model: jobs go in, and each is told when its tokens may leave. */

/** One request, as an engine sees it. */
export interface Job {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** The next token may leave now. Called `outputTokens` times, unless the job is withdrawn. */
  token(): void;
}

/** A job that was taken in. */
export interface Ticket {
  /** The reader has gone or the answer is over: its place and memory are free. Harmless when repeated. */
  withdraw(): void;
}

export interface EngineState {
  readonly running: number;
  readonly waiting: number;
  /** Tokens reserved in the KV cache, of `kvCapacity`. */
  readonly kvTokens: number;
  readonly kvCapacity: number;
}

/** One engine. A cost model of real hardware takes its place by implementing this. */
export interface Pacer {
  /** Null when the job could never run: prompt and answer exceed the whole KV cache. */
  submit(job: Job): Ticket | null;
  state(): EngineState;
}
