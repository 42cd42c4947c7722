/**
 * The shape of the fitted constants: which shares of a data sheet a kernel reaches, and which fixed times remain.
 * `constants.ts` has the values, the files of the kernels the formulas.
 */

/** A dense matrix product on one GPU in one arithmetic. */
export interface GemmEfficiency {
  /** Share of peak memory bandwidth reached when weights are streamed. */
  readonly bandwidth: number;
  /** Share of peak operations per second reached when compute-bound. */
  readonly compute: number;
  /** Seconds a product costs at least, besides memory and arithmetic. */
  readonly floor: number;
  /** Exponent p of the roofline's rounded knee: time = (memory^p + compute^p)^(1/p). */
  readonly knee: number;
  /**
   * Memory traffic of quantising the input, bytes per element, measured with the product; 0 for 16 bit. Engines fuse
   * it into the operation before, so it explains measurements here and is part of `elementwise` there.
   */
  readonly quantise: number;
}

/** Attention of one new token per sequence over its cached context. */
export interface DecodeAttentionEfficiency {
  /**
   * Share of peak memory bandwidth at which keys and values are read, by bytes of a cache element; `ungrouped` where
   * every query head has its own key/value head (another kernel, and 8-bit caches gain less).
   */
  readonly grouped: Readonly<Record<1 | 2, number>>;
  readonly ungrouped: Readonly<Record<1 | 2, number>>;
  readonly floor: number;
  /** Seconds by which reads beyond `halfBytes` take longer than the floor: splitting and merging the context. */
  readonly mid: number;
  readonly halfBytes: number;
  /** Seconds per sequence and query head on the GPU. */
  readonly perSequenceHead: number;
}

/** Attention of a prompt over itself. */
export interface PrefillAttentionEfficiency {
  /** Share of 16-bit peak reached by the score and value products, by bytes of a cache element. */
  readonly compute: Readonly<Record<1 | 2, number>>;
  readonly floor: number;
  /** Seconds per token and query element (head x head dimension): reading q, k, v, rotating, writing the cache. */
  readonly perTokenElement: number;
}

/** Sum over the GPUs of one tensor-parallel group. */
export interface AllReduceEfficiency {
  readonly floor: number;
  /** Seconds by which messages beyond `halfBytes` are slower than the floor: the change of algorithm. */
  readonly mid: number;
  readonly halfBytes: number;
  /** Share of link bandwidth reached by long messages. */
  readonly bandwidth: number;
}

/**
 * A mixture of experts on one GPU, measured as a whole: choosing, sorting, two grouped products, summing up.
 * A token chooses experts by a power law, so that few tokens meet few experts.
 */
export interface MixtureEfficiency {
  readonly bandwidth: number;
  readonly compute: number;
  readonly floor: number;
  readonly knee: number;
  /** Rows by which each expert's share of the tokens is rounded up, half of it on average. */
  readonly tile: number;
  /** Width of an expert's slice at which its products reach half of `compute`. */
  readonly narrow: number;
  /** Seconds for each expert met. */
  readonly perExpert: number;
}

/** Multi-head latent attention: one vector a token is read for all heads when decoding. */
export interface LatentEfficiency {
  /** Share of bandwidth at which the cache is read, and of 16-bit peak while decoding, by bytes of a cache element. */
  readonly bandwidth: Readonly<Record<1 | 2, number>>;
  readonly decode: Readonly<Record<1 | 2, number>>;
  readonly floor: number;
  readonly knee: number;
  /** Share of 16-bit peak when a prompt attends to itself. */
  readonly prefill: Readonly<Record<1 | 2, number>>;
  readonly prefillFloor: number;
}

export interface KernelEfficiency {
  readonly gemm: {
    readonly bf16: GemmEfficiency;
    readonly fp8: GemmEfficiency;
    readonly fp4: GemmEfficiency;
  };
  /** Experts by format: `w4` are 4-bit weights multiplied in 16 bit. */
  readonly mixture: {
    readonly bf16: MixtureEfficiency;
    readonly fp8: MixtureEfficiency;
    readonly w4: MixtureEfficiency;
    readonly fp4: MixtureEfficiency;
  };
  readonly latent: LatentEfficiency;
  readonly decodeAttention: DecodeAttentionEfficiency;
  readonly prefillAttention: PrefillAttentionEfficiency;
  readonly allReduce: Readonly<Record<2 | 4 | 8, AllReduceEfficiency>>;
}

/** What an engine adds to, or hides of, the kernels' own times. */
export interface EngineOverheads {
  /** Factor on the time a matrix product spends streaming weights. */
  readonly memory: number;
  /** Factor on the time a matrix product spends computing, by bits of its operands. */
  readonly compute16: number;
  readonly compute8: number;
  readonly compute4: number;
  /** Factor on the time attention spends reading the cache, 16-bit and 8-bit caches apart. */
  readonly attention16: number;
  readonly attention8: number;
  /**
   * Factors beside these on Blackwell: engines have other kernels there, and those of the tables are one engine's.
   */
  readonly blackwellCompute: number;
  readonly blackwellAttention: number;
  /**
   * Seconds that decode attention takes at least per query head of 128 elements and token attended to, in a layer: old
   * kernels multiply outside of tensor cores, and heads that share keys gain little from it.
   */
  readonly perHeadToken: number;
  /** False for builds that decode outside of tensor cores whatever the heads: TensorRT-LLM before its XQA kernels. */
  readonly tensorCores?: boolean;
  /** Factor on the kernels' floors: graphs and overlapped launches hide part of them. */
  readonly floors: number;
  /** The same for mixtures of experts, which are measured as one operation. */
  readonly mixtureFloors: number;
  /** Times the residual stream and feed-forward activations cross memory outside of matrix products, per layer. */
  readonly elementwise: number;
  /** Seconds an all-reduce takes beyond the measured kernel: ranks do not arrive together. */
  readonly allReduce: number;
  /** Factor on the transfer part of an all-reduce: what overlaps with computing is not paid. */
  readonly transfer: number;
  /** The same where GPUs are linked by PCIe alone. */
  readonly transferPcie: number;
  /** Seconds per step: scheduling, launching, returning tokens. */
  readonly perStep: number;
  /** Seconds per sequence in the step: sampling, stop conditions, bookkeeping. */
  readonly perSequence: number;
  /** Seconds more per sequence when every token is detokenised and sent to a client; offline runs do not pay it. */
  readonly perStream: number;
  /** Seconds added once to the first token of each request: HTTP, tokenising, queue hand-over. */
  readonly perRequest: number;
}

/** TensorRT-LLM by generation: 0.16 and later, 0.11 to 0.15, up to 0.10. */
export type MeasuredEngine = 'tensorrt-llm' | 'tensorrt-llm-0.14' | 'tensorrt-llm-0.10' | 'vllm';

/** SGLang has no published measurements that a model of ours can follow; it is priced as vLLM, and whoever prints it says so. */
export type EngineName = MeasuredEngine | 'sglang';
