/** What a step of an engine holds, and what it costs. */

/** What is in the batch of one step, summed over its sequences. */
export interface StepLoad {
  /** Sequences that get one more token, and the tokens they attend to in all. */
  readonly decodeSequences: number;
  readonly decodeContext: number;
  /** Prompt tokens processed, in how many chunks, and the (query, key) pairs they attend over. */
  readonly prefillTokens: number;
  readonly prefillSequences: number;
  readonly prefillPairs: number;
  /** Rows of the output head: decoding sequences and prompts that end in this step. */
  readonly logitRows: number;
}

/** Where a step's time goes, seconds. The parts sum to the whole. */
export interface StepBreakdown {
  /** Matrix products: time beyond the floor that memory, or else arithmetic, explains alone. */
  readonly products: number;
  readonly attention: number;
  readonly elementwise: number;
  readonly communication: number;
  readonly overhead: number;
  /** Which side of the roofline the products are on. */
  readonly productsBoundBy: 'memory' | 'compute';
}

export interface StepCost {
  seconds(load: StepLoad): number;
  breakdown(load: StepLoad): StepBreakdown;
  /** Seconds added once to each request's first token, outside of the engine's steps. */
  readonly perRequest: number;
}
