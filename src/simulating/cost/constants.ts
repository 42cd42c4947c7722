/**
 * The fitted constants of the cost model: efficiencies of kernels by GPU family, overheads by engine.
 * Written by `npm run fit`; do not edit by hand. Times in seconds, shares of the data sheet otherwise.
 *
 * Origin: kernels from NVIDIA AIConfigurator's measured tables (Apache-2.0); engines from TensorRT-LLM's performance
 * pages (Apache-2.0) and AIConfigurator's end-to-end sample. Only these derived constants are part of this project.
 */
import type { Gpu } from '../hardware/gpu.ts';
import type { EngineName, EngineOverheads, KernelEfficiency } from './efficiency.ts';

/**
 * Mean error of each kernel's formula over its measured rows:
 * h100: bf16 5.0 % of 1083, fp8 3.4 % of 1083, decode 26.8 % of 1311, prefill 13.1 % of 1462, all-reduce 2 4.7 % of 23, all-reduce 4 3.1 % of 23, all-reduce 8 4.1 % of 23
 * h200: bf16 6.0 % of 1083, fp8 4.1 % of 1083, decode 27.5 % of 1311, prefill 11.7 % of 1462, all-reduce 2 3.8 % of 23, all-reduce 4 2.2 % of 23, all-reduce 8 5.3 % of 23
 * a100: bf16 6.9 % of 1484, fp8 6.9 % of 1484, decode 20.6 % of 983, prefill 8.8 % of 1350, all-reduce 2 9.0 % of 23, all-reduce 4 6.7 % of 23, all-reduce 8 11.0 % of 23
 * l40s: bf16 20.9 % of 1083, fp8 16.7 % of 1083, decode 37.4 % of 1311, prefill 17.3 % of 1462, all-reduce 2 2.5 % of 23, all-reduce 4 5.7 % of 23, all-reduce 8 14.0 % of 23
 * b200: bf16 9.3 % of 1083, fp8 5.5 % of 1083, decode 13.6 % of 1311, prefill 12.6 % of 1462, all-reduce 2 6.3 % of 23, all-reduce 4 4.4 % of 23, all-reduce 8 5.7 % of 23
 */
export const KERNELS: Readonly<Record<Gpu['family'], KernelEfficiency>> = {
  h100: {
    gemm: {
      bf16: {
        bandwidth: 0.8303,
        compute: 0.7954,
        floor: 0.000003478,
        knee: 3.842,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8076,
        compute: 0.7425,
        floor: 0.00001236,
        knee: 4.136,
        quantise: 7.786,
      },
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.8861,
      },
      ungrouped: {
        1: 0.6946,
        2: 0.93,
      },
      floor: 0.000008511,
      mid: 0.000004918,
      halfBytes: 10610000,
      perSequenceHead: 3.041e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.8149,
        2: 0.5712,
      },
      floor: 0.00001492,
      perTokenElement: 4.957e-12,
    },
    allReduce: {
      2: {
        floor: 0.000002679,
        mid: 0.0001703,
        halfBytes: 136800000,
        bandwidth: 0.7723,
      },
      4: {
        floor: 0.000002996,
        mid: 0.00005042,
        halfBytes: 8537000,
        bandwidth: 0.7947,
      },
      8: {
        floor: 0.000003143,
        mid: 0.00006166,
        halfBytes: 2842000,
        bandwidth: 1.02,
      },
    },
  },
  h200: {
    gemm: {
      bf16: {
        bandwidth: 0.8325,
        compute: 0.8027,
        floor: 0.000004052,
        knee: 3.661,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8085,
        compute: 0.7452,
        floor: 0.00001265,
        knee: 3.863,
        quantise: 9.73,
      },
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.8122,
      },
      ungrouped: {
        1: 0.4786,
        2: 0.8767,
      },
      floor: 0.000008356,
      mid: 0.000008041,
      halfBytes: 16720000,
      perSequenceHead: 2.951e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.808,
        2: 0.5737,
      },
      floor: 0.00001489,
      perTokenElement: 4.504e-12,
    },
    allReduce: {
      2: {
        floor: 0.000002686,
        mid: 0.0002387,
        halfBytes: 276000000,
        bandwidth: 0.7761,
      },
      4: {
        floor: 0.000002964,
        mid: 0.00003541,
        halfBytes: 6217000,
        bandwidth: 0.7875,
      },
      8: {
        floor: 0.000003061,
        mid: 0.0000654,
        halfBytes: 2785000,
        bandwidth: 1.054,
      },
    },
  },
  a100: {
    gemm: {
      bf16: {
        bandwidth: 0.7994,
        compute: 0.8396,
        floor: 0.000005839,
        knee: 1.758,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7994,
        compute: 0.8396,
        floor: 0.000005839,
        knee: 1.758,
        quantise: 0,
      },
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.93,
      },
      ungrouped: {
        1: 0.8598,
        2: 0.8598,
      },
      floor: 0.00001075,
      mid: 0.000005671,
      halfBytes: 847300,
      perSequenceHead: 7.133e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.5219,
        2: 0.4892,
      },
      floor: 0.00001384,
      perTokenElement: 9.408e-12,
    },
    allReduce: {
      2: {
        floor: 0.000003943,
        mid: 0.0000815,
        halfBytes: 16860000,
        bandwidth: 0.6632,
      },
      4: {
        floor: 0.000004631,
        mid: 0.00009966,
        halfBytes: 7896000,
        bandwidth: 0.7413,
      },
      8: {
        floor: 0.000004672,
        mid: 0.00006605,
        halfBytes: 1310000,
        bandwidth: 0.7304,
      },
    },
  },
  l40s: {
    gemm: {
      bf16: {
        bandwidth: 0.8323,
        compute: 0.621,
        floor: 6.941e-47,
        knee: 2.151,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8477,
        compute: 0.5283,
        floor: 0.000007331,
        knee: 2.333,
        quantise: 1.903,
      },
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.93,
      },
      ungrouped: {
        1: 0.6397,
        2: 0.93,
      },
      floor: 0.000008663,
      mid: 7.856e-14,
      halfBytes: 20000000,
      perSequenceHead: 3.105e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.7261,
        2: 0.3771,
      },
      floor: 0.000009336,
      perTokenElement: 6.495e-12,
    },
    allReduce: {
      2: {
        floor: 0.000006847,
        mid: 0.00002899,
        halfBytes: 465700,
        bandwidth: 0.6358,
      },
      4: {
        floor: 0.00001172,
        mid: 0.00001013,
        halfBytes: 157800,
        bandwidth: 0.1572,
      },
      8: {
        floor: 0.00002035,
        mid: 0.0001833,
        halfBytes: 311800,
        bandwidth: 0.0665,
      },
    },
  },
  b200: {
    gemm: {
      bf16: {
        bandwidth: 0.7633,
        compute: 0.6882,
        floor: 0.000003593,
        knee: 3.771,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7414,
        compute: 0.7193,
        floor: 0.00001492,
        knee: 2.054,
        quantise: 10.16,
      },
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.93,
      },
      ungrouped: {
        1: 0.93,
        2: 0.93,
      },
      floor: 0.00001078,
      mid: 1.358e-13,
      halfBytes: 20000000,
      perSequenceHead: 1.698e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.7297,
        2: 0.5428,
      },
      floor: 0.00001667,
      perTokenElement: 3.367e-12,
    },
    allReduce: {
      2: {
        floor: 0.000004695,
        mid: 0.0001147,
        halfBytes: 265700000,
        bandwidth: 0.6324,
      },
      4: {
        floor: 0.000005034,
        mid: 0.00007246,
        halfBytes: 28280000,
        bandwidth: 0.7098,
      },
      8: {
        floor: 0.000005547,
        mid: 0.0000785,
        halfBytes: 9388000,
        bandwidth: 0.819,
      },
    },
  },
};

export const ENGINES: Readonly<Record<EngineName, EngineOverheads>> = {
  'tensorrt-llm': {
    memory: 0.9222,
    compute16: 1.073,
    compute8: 1.103,
    attention16: 1.028,
    attention8: 1.035,
    floors: 0.3905,
    elementwise: 0.9037,
    allReduce: 0.000003089,
    transfer: 1.194,
    transferPcie: 1.215,
    perStep: 0.0009741,
    perSequence: 0.000003814,
    perStream: 0.000008708,
    perRequest: 0.02681,
  },
  'tensorrt-llm-0.14': {
    memory: 1.261,
    compute16: 1.154,
    compute8: 1.182,
    attention16: 1.162,
    attention8: 1.063,
    floors: 0.7836,
    elementwise: 0.7338,
    allReduce: 0.000003152,
    transfer: 1.66,
    transferPcie: 1.428,
    perStep: 0.0002993,
    perSequence: 0.000003437,
    perStream: 0.00001001,
    perRequest: 0.005,
  },
  'tensorrt-llm-0.10': {
    memory: 1.328,
    compute16: 1.081,
    compute8: 1.022,
    attention16: 0.8609,
    attention8: 0.4762,
    floors: 3.405,
    elementwise: 1.419,
    allReduce: 0.000003276,
    transfer: 1.81,
    transferPcie: 1.258,
    perStep: 0.0003069,
    perSequence: 0.00001334,
    perStream: 0.000009538,
    perRequest: 0.005,
  },
  vllm: {
    memory: 0.9383,
    compute16: 0.9906,
    compute8: 1.295,
    attention16: 0.9916,
    attention8: 1.615,
    floors: 0.657,
    elementwise: 1.154,
    allReduce: 0.000003305,
    transfer: 1.137,
    transferPcie: 1.287,
    perStep: 0.0003339,
    perSequence: 0.00000438,
    perStream: 0.000007832,
    perRequest: 0.01492,
  },
  sglang: {
    memory: 2.09,
    compute16: 0.969,
    compute8: 1.168,
    attention16: 0.9851,
    attention8: 1.996,
    floors: 0.5665,
    elementwise: 0.9688,
    allReduce: 0.000002833,
    transfer: 0.9351,
    transferPcie: 1.333,
    perStep: 0.000331,
    perSequence: 0.000006121,
    perStream: 0.00001177,
    perRequest: 0.2501,
  },
};
