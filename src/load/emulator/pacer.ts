/** The interface between an emulated server and a cost model, which decides when each job's tokens are sent. */

/** One request, as an engine sees it. */
export interface Job {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Sends the next token. Called `outputTokens` times unless the job is withdrawn. */
  token(): void;
}

/** An accepted job. */
export interface Ticket {
  /** Ends the job and frees its slot and KV cache. Does nothing when repeated. */
  withdraw(): void;
}

export interface EngineState {
  readonly running: number;
  readonly waiting: number;
  /** Tokens reserved in the KV cache, of `kvCapacity`. */
  readonly kvTokens: number;
  readonly kvCapacity: number;
}

/** One engine; each cost model implements this. */
export interface Pacer {
  /** Null when the job could never run: prompt and answer exceed the whole KV cache. */
  submit(job: Job): Ticket | null;
  state(): EngineState;
}
