/**
 * The fitted constants of the cost model: efficiencies of kernels by GPU family, overheads by engine.
 * Written by `npm run fit`; do not edit by hand. Times in seconds, shares of the data sheet otherwise.
 *
 * Origin: kernels from NVIDIA AIConfigurator's measured tables (package aiconfigurator-core 0.12.0, Apache-2.0; thinned in evaluation/data/); engines from TensorRT-LLM's performance
 * pages (Apache-2.0) and AIConfigurator's end-to-end sample. Only these derived constants are part of this project.
 */
// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: a fitted number may resemble a famous one
import type { GpuFamily } from '../hardware/gpu.ts';
import type { EngineOverheads, KernelEfficiency, MeasuredEngine } from './efficiency.ts';

/**
 * Mean error of each kernel's formula over its measured rows:
 * h100: bf16 7.5 % of 615, fp8 4.3 % of 648, mixture bf16 16.0 % of 452, mixture fp8 12.3 % of 446, mixture w4 6.4 % of 25, decode 22.8 % of 1404, prefill 15.1 % of 1018, latent 24.1 % of 973, all-reduce 2 4.3 % of 23, all-reduce 4 3.1 % of 23, all-reduce 8 4.1 % of 23
 * h200: bf16 9.0 % of 590, fp8 5.1 % of 647, mixture bf16 12.5 % of 453, mixture fp8 10.7 % of 426, mixture w4 7.6 % of 50, decode 25.0 % of 1446, prefill 14.6 % of 1001, latent 24.2 % of 996, all-reduce 2 4.2 % of 23, all-reduce 4 2.2 % of 23, all-reduce 8 5.3 % of 23
 * a100: bf16 8.8 % of 596, mixture bf16 5.9 % of 375, decode 24.7 % of 686, prefill 5.9 % of 525, latent 34.5 % of 1018, all-reduce 2 9.0 % of 23, all-reduce 4 6.7 % of 23, all-reduce 8 11.0 % of 23
 * l40s: bf16 20.1 % of 602, fp8 14.9 % of 542, mixture bf16 14.5 % of 452, mixture fp8 15.8 % of 440, decode 52.4 % of 1370, prefill 30.5 % of 1051, all-reduce 2 2.5 % of 23, all-reduce 4 5.7 % of 23, all-reduce 8 14.0 % of 23
 * b200: bf16 9.8 % of 617, fp8 5.7 % of 586, fp4 18.1 % of 610, mixture bf16 10.1 % of 481, mixture fp8 11.5 % of 471, mixture w4 6.4 % of 50, mixture fp4 21.1 % of 467, decode 13.5 % of 1434, prefill 17.7 % of 1053, latent 25.9 % of 1023, all-reduce 2 6.3 % of 23, all-reduce 4 4.4 % of 23, all-reduce 8 5.7 % of 23
 * gb200: bf16 10.4 % of 603, fp8 5.6 % of 638, fp4 17.4 % of 594, mixture bf16 9.3 % of 439, mixture fp8 10.5 % of 443, mixture w4 8.8 % of 150, mixture fp4 23.7 % of 455, decode 13.4 % of 1433, prefill 17.9 % of 907, latent 26.0 % of 1009, all-reduce 2 5.4 % of 23, all-reduce 4 3.8 % of 23
 * b300: bf16 12.3 % of 605, fp8 5.5 % of 571, fp4 15.4 % of 585, mixture bf16 10.5 % of 472, mixture fp8 12.0 % of 455, mixture w4 9.5 % of 150, mixture fp4 12.1 % of 474, decode 13.9 % of 1416, prefill 15.5 % of 1018, latent 28.4 % of 1037, all-reduce 2 6.3 % of 23, all-reduce 4 4.7 % of 23, all-reduce 8 5.5 % of 23
 * rtx-pro-6000: bf16 14.8 % of 660, fp8 10.4 % of 614, fp4 24.6 % of 589, mixture bf16 11.7 % of 466, mixture fp8 12.6 % of 450, mixture w4 9.1 % of 50, mixture fp4 10.2 % of 431, decode 34.6 % of 1344, prefill 28.7 % of 977, latent 43.1 % of 1031, all-reduce 2 2.8 % of 23, all-reduce 4 4.3 % of 23, all-reduce 8 5.3 % of 23
 */
export const KERNELS: Readonly<Record<GpuFamily, KernelEfficiency>> = {
  h100: {
    gemm: {
      bf16: {
        bandwidth: 0.8283,
        compute: 0.7941,
        floor: 0.000003408,
        knee: 2.664,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.816,
        compute: 0.7405,
        floor: 0.00001257,
        knee: 2.612,
        quantise: 7.687,
      },
      fp4: {
        bandwidth: 0.816,
        compute: 0.7405,
        floor: 0.00001257,
        knee: 2.612,
        quantise: 7.687,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.7949,
        compute: 0.7668,
        floor: 0.00003062,
        knee: 1.529,
        tile: 0.007534,
        narrow: 307.3,
        perExpert: 4.449e-8,
      },
      fp8: {
        bandwidth: 0.8351,
        compute: 0.8287,
        floor: 0.00002845,
        knee: 1.428,
        tile: 0.2616,
        narrow: 876.3,
        perExpert: 1.976e-7,
      },
      w4: {
        bandwidth: 0.8415,
        compute: 0.3967,
        floor: 0.00006701,
        knee: 6,
        tile: 59.45,
        narrow: 280.7,
        perExpert: 2.624e-8,
      },
      fp4: {
        bandwidth: 0.7949,
        compute: 0.7668,
        floor: 0.00003062,
        knee: 1.529,
        tile: 0.007534,
        narrow: 307.3,
        perExpert: 4.449e-8,
      },
    },
    latent: {
      bandwidth: {
        1: 0.8585,
        2: 0.9064,
      },
      decode: {
        1: 0.7374,
        2: 0.8081,
      },
      floor: 0.00001576,
      knee: 1.427,
      prefill: {
        1: 0.4003,
        2: 0.4912,
      },
      prefillFloor: 0.00003211,
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.7979,
      },
      ungrouped: {
        1: 0.7233,
        2: 0.93,
      },
      floor: 0.000009804,
      mid: 0.000005798,
      halfBytes: 20000000,
      perSequenceHead: 2.031e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.8131,
        2: 0.5592,
      },
      floor: 0.0000169,
      perTokenElement: 4.504e-12,
    },
    allReduce: {
      2: {
        floor: 0.000002766,
        mid: 0.0001929,
        halfBytes: 167900000,
        bandwidth: 0.7781,
      },
      4: {
        floor: 0.000002996,
        mid: 0.00005031,
        halfBytes: 8518000,
        bandwidth: 0.7945,
      },
      8: {
        floor: 0.000003143,
        mid: 0.00006027,
        halfBytes: 2777000,
        bandwidth: 1.017,
      },
    },
  },
  h200: {
    gemm: {
      bf16: {
        bandwidth: 0.8029,
        compute: 0.7988,
        floor: 0.000003853,
        knee: 2.497,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8045,
        compute: 0.7557,
        floor: 0.00001259,
        knee: 1.946,
        quantise: 9.612,
      },
      fp4: {
        bandwidth: 0.8045,
        compute: 0.7557,
        floor: 0.00001259,
        knee: 1.946,
        quantise: 9.612,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.8847,
        compute: 0.8521,
        floor: 0.00003257,
        knee: 1.627,
        tile: 56.78,
        narrow: 404.9,
        perExpert: 9.54e-10,
      },
      fp8: {
        bandwidth: 0.93,
        compute: 0.8185,
        floor: 0.00003148,
        knee: 1.383,
        tile: 46.81,
        narrow: 780.5,
        perExpert: 9.049e-8,
      },
      w4: {
        bandwidth: 0.6684,
        compute: 0.3637,
        floor: 0.00006199,
        knee: 2.352,
        tile: 32.24,
        narrow: 447.8,
        perExpert: 1.091e-8,
      },
      fp4: {
        bandwidth: 0.8847,
        compute: 0.8521,
        floor: 0.00003257,
        knee: 1.627,
        tile: 56.78,
        narrow: 404.9,
        perExpert: 9.54e-10,
      },
    },
    latent: {
      bandwidth: {
        1: 0.5976,
        2: 0.8603,
      },
      decode: {
        1: 0.5378,
        2: 0.4987,
      },
      floor: 0.00001556,
      knee: 4.11,
      prefill: {
        1: 0.4928,
        2: 0.5281,
      },
      prefillFloor: 0.00004122,
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.8038,
      },
      ungrouped: {
        1: 0.5951,
        2: 0.93,
      },
      floor: 0.000009319,
      mid: 0.00001209,
      halfBytes: 20000000,
      perSequenceHead: 1.877e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.7831,
        2: 0.5544,
      },
      floor: 0.0000167,
      perTokenElement: 3.979e-12,
    },
    allReduce: {
      2: {
        floor: 0.000002764,
        mid: 0.0002109,
        halfBytes: 244400000,
        bandwidth: 0.7695,
      },
      4: {
        floor: 0.000002952,
        mid: 0.00003498,
        halfBytes: 5951000,
        bandwidth: 0.7871,
      },
      8: {
        floor: 0.000003061,
        mid: 0.00006638,
        halfBytes: 2923000,
        bandwidth: 1.056,
      },
    },
  },
  a100: {
    gemm: {
      bf16: {
        bandwidth: 0.7878,
        compute: 0.8343,
        floor: 0.000005626,
        knee: 1.646,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7878,
        compute: 0.8343,
        floor: 0.000005626,
        knee: 1.646,
        quantise: 0,
      },
      fp4: {
        bandwidth: 0.7878,
        compute: 0.8343,
        floor: 0.000005626,
        knee: 1.646,
        quantise: 0,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.8144,
        compute: 0.4938,
        floor: 0.00003999,
        knee: 1.622,
        tile: 19.29,
        narrow: 113.9,
        perExpert: 1.348e-7,
      },
      fp8: {
        bandwidth: 0.8144,
        compute: 0.4938,
        floor: 0.00003999,
        knee: 1.622,
        tile: 19.29,
        narrow: 113.9,
        perExpert: 1.348e-7,
      },
      w4: {
        bandwidth: 0.8144,
        compute: 0.4938,
        floor: 0.00003999,
        knee: 1.622,
        tile: 19.29,
        narrow: 113.9,
        perExpert: 1.348e-7,
      },
      fp4: {
        bandwidth: 0.8144,
        compute: 0.4938,
        floor: 0.00003999,
        knee: 1.622,
        tile: 19.29,
        narrow: 113.9,
        perExpert: 1.348e-7,
      },
    },
    latent: {
      bandwidth: {
        1: 0.207,
        2: 0.3764,
      },
      decode: {
        1: 0.7615,
        2: 0.95,
      },
      floor: 0.00003243,
      knee: 0.6969,
      prefill: {
        1: 0.4256,
        2: 0.4317,
      },
      prefillFloor: 0.00003121,
    },
    decodeAttention: {
      grouped: {
        1: 0.93,
        2: 0.93,
      },
      ungrouped: {
        1: 0.8782,
        2: 0.8782,
      },
      floor: 0.00001412,
      mid: 0.000005857,
      halfBytes: 20000000,
      perSequenceHead: 3.424e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.6602,
        2: 0.4844,
      },
      floor: 0.00001648,
      perTokenElement: 7.425e-12,
    },
    allReduce: {
      2: {
        floor: 0.000003943,
        mid: 0.0000816,
        halfBytes: 16900000,
        bandwidth: 0.6633,
      },
      4: {
        floor: 0.000004631,
        mid: 0.00009961,
        halfBytes: 7903000,
        bandwidth: 0.7413,
      },
      8: {
        floor: 0.000004635,
        mid: 0.00004566,
        halfBytes: 716700,
        bandwidth: 0.7072,
      },
    },
  },
  l40s: {
    gemm: {
      bf16: {
        bandwidth: 0.93,
        compute: 0.6348,
        floor: 0.000001362,
        knee: 1.54,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8466,
        compute: 0.5199,
        floor: 0.000009968,
        knee: 2.539,
        quantise: 1.668,
      },
      fp4: {
        bandwidth: 0.8466,
        compute: 0.5199,
        floor: 0.000009968,
        knee: 2.539,
        quantise: 1.668,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.753,
        compute: 0.3792,
        floor: 1.385e-7,
        knee: 2.057,
        tile: 0.02188,
        narrow: 78.07,
        perExpert: 4.067e-10,
      },
      fp8: {
        bandwidth: 0.762,
        compute: 0.4766,
        floor: 0.00001079,
        knee: 1.838,
        tile: 0.04546,
        narrow: 380.7,
        perExpert: 4.02e-11,
      },
      w4: {
        bandwidth: 0.753,
        compute: 0.3792,
        floor: 1.385e-7,
        knee: 2.057,
        tile: 0.02188,
        narrow: 78.07,
        perExpert: 4.067e-10,
      },
      fp4: {
        bandwidth: 0.753,
        compute: 0.3792,
        floor: 1.385e-7,
        knee: 2.057,
        tile: 0.02188,
        narrow: 78.07,
        perExpert: 4.067e-10,
      },
    },
    latent: {
      bandwidth: {
        1: 0.8585,
        2: 0.9064,
      },
      decode: {
        1: 0.7374,
        2: 0.8081,
      },
      floor: 0.00001576,
      knee: 1.427,
      prefill: {
        1: 0.4003,
        2: 0.4912,
      },
      prefillFloor: 0.00003211,
    },
    decodeAttention: {
      grouped: {
        1: 0.7846,
        2: 0.93,
      },
      ungrouped: {
        1: 0.6859,
        2: 0.93,
      },
      floor: 0.00001084,
      mid: 6.287e-12,
      halfBytes: 20000000,
      perSequenceHead: 2.268e-9,
    },
    prefillAttention: {
      compute: {
        1: 0.3103,
        2: 0.4145,
      },
      floor: 0.000009478,
      perTokenElement: 8.751e-12,
    },
    allReduce: {
      2: {
        floor: 0.000006847,
        mid: 0.00002899,
        halfBytes: 465500,
        bandwidth: 0.6358,
      },
      4: {
        floor: 0.00001172,
        mid: 0.000009883,
        halfBytes: 152600,
        bandwidth: 0.1572,
      },
      8: {
        floor: 0.00002005,
        mid: 0.0001426,
        halfBytes: 181400,
        bandwidth: 0.06656,
      },
    },
  },
  b200: {
    gemm: {
      bf16: {
        bandwidth: 0.7307,
        compute: 0.698,
        floor: 0.000002793,
        knee: 2.463,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7428,
        compute: 0.7078,
        floor: 0.00001512,
        knee: 1.818,
        quantise: 9.635,
      },
      fp4: {
        bandwidth: 0.5063,
        compute: 0.5098,
        floor: 0.000009222,
        knee: 2.289,
        quantise: 6.077,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.9038,
        compute: 0.8419,
        floor: 0.00003729,
        knee: 1.628,
        tile: 35.1,
        narrow: 772.6,
        perExpert: 3.264e-8,
      },
      fp8: {
        bandwidth: 0.8896,
        compute: 0.816,
        floor: 0.00003443,
        knee: 1.478,
        tile: 40.2,
        narrow: 1581,
        perExpert: 3.244e-8,
      },
      w4: {
        bandwidth: 0.8023,
        compute: 0.95,
        floor: 0.00001919,
        knee: 1.68,
        tile: 72.43,
        narrow: 13.24,
        perExpert: 4.351e-10,
      },
      fp4: {
        bandwidth: 0.9011,
        compute: 0.6736,
        floor: 0.0000147,
        knee: 2.611,
        tile: 94.11,
        narrow: 825.1,
        perExpert: 3.103e-8,
      },
    },
    latent: {
      bandwidth: {
        1: 0.813,
        2: 0.6976,
      },
      decode: {
        1: 0.7369,
        2: 0.95,
      },
      floor: 0.00001147,
      knee: 1.486,
      prefill: {
        1: 0.3979,
        2: 0.4516,
      },
      prefillFloor: 0.00002887,
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
      floor: 0.00001093,
      mid: 3.293e-15,
      halfBytes: 14950000,
      perSequenceHead: 9.341e-10,
    },
    prefillAttention: {
      compute: {
        1: 0.7486,
        2: 0.5279,
      },
      floor: 0.00001695,
      perTokenElement: 3.236e-12,
    },
    allReduce: {
      2: {
        floor: 0.000004647,
        mid: 0.0001425,
        halfBytes: 254100000,
        bandwidth: 0.6543,
      },
      4: {
        floor: 0.000005036,
        mid: 0.0000769,
        halfBytes: 31940000,
        bandwidth: 0.7109,
      },
      8: {
        floor: 0.000005548,
        mid: 0.00007863,
        halfBytes: 9487000,
        bandwidth: 0.8191,
      },
    },
  },
  gb200: {
    gemm: {
      bf16: {
        bandwidth: 0.7082,
        compute: 0.6598,
        floor: 0.000002733,
        knee: 2.552,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7471,
        compute: 0.6394,
        floor: 0.00001456,
        knee: 1.774,
        quantise: 9.748,
      },
      fp4: {
        bandwidth: 0.509,
        compute: 0.463,
        floor: 0.000008417,
        knee: 2.576,
        quantise: 6.102,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.93,
        compute: 0.8284,
        floor: 0.00003874,
        knee: 1.443,
        tile: 0.05537,
        narrow: 787.2,
        perExpert: 8.61e-8,
      },
      fp8: {
        bandwidth: 0.8537,
        compute: 0.7515,
        floor: 0.00003287,
        knee: 1.782,
        tile: 0.3449,
        narrow: 1957,
        perExpert: 1.33e-7,
      },
      w4: {
        bandwidth: 0.755,
        compute: 0.7245,
        floor: 0.00001681,
        knee: 2.233,
        tile: 10.97,
        narrow: 123.6,
        perExpert: 5.922e-8,
      },
      fp4: {
        bandwidth: 0.93,
        compute: 0.6639,
        floor: 0.00001464,
        knee: 2.001,
        tile: 128.4,
        narrow: 717.4,
        perExpert: 1.535e-11,
      },
    },
    latent: {
      bandwidth: {
        1: 0.6755,
        2: 0.6439,
      },
      decode: {
        1: 1.045,
        2: 0.95,
      },
      floor: 0.00001236,
      knee: 2.48,
      prefill: {
        1: 0.346,
        2: 0.4031,
      },
      prefillFloor: 0.00002956,
    },
    decodeAttention: {
      grouped: {
        1: 0.9209,
        2: 0.93,
      },
      ungrouped: {
        1: 0.93,
        2: 0.93,
      },
      floor: 0.0000119,
      mid: 2.291e-10,
      halfBytes: 42820,
      perSequenceHead: 8.715e-10,
    },
    prefillAttention: {
      compute: {
        1: 0.7596,
        2: 0.4981,
      },
      floor: 0.00001835,
      perTokenElement: 2.93e-12,
    },
    allReduce: {
      2: {
        floor: 0.000003932,
        mid: 0.0001604,
        halfBytes: 220800000,
        bandwidth: 0.6669,
      },
      4: {
        floor: 0.000004713,
        mid: 0.0000829,
        halfBytes: 32350000,
        bandwidth: 0.7199,
      },
      8: {
        floor: 0.000004713,
        mid: 0.0000829,
        halfBytes: 32350000,
        bandwidth: 0.7199,
      },
    },
  },
  b300: {
    gemm: {
      bf16: {
        bandwidth: 0.7067,
        compute: 0.7107,
        floor: 0.000002755,
        knee: 3.345,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.7321,
        compute: 0.7769,
        floor: 0.00001424,
        knee: 1.665,
        quantise: 9.482,
      },
      fp4: {
        bandwidth: 0.6055,
        compute: 0.95,
        floor: 0.000009862,
        knee: 0.6507,
        quantise: 5.645,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.8655,
        compute: 0.9026,
        floor: 0.0000337,
        knee: 1.509,
        tile: 0.02192,
        narrow: 812.8,
        perExpert: 1.093e-7,
      },
      fp8: {
        bandwidth: 0.8433,
        compute: 0.7987,
        floor: 0.00003346,
        knee: 1.66,
        tile: 14.3,
        narrow: 1756,
        perExpert: 9.064e-8,
      },
      w4: {
        bandwidth: 0.7382,
        compute: 0.95,
        floor: 0.00001742,
        knee: 1.812,
        tile: 0.000004549,
        narrow: 11.88,
        perExpert: 7.311e-8,
      },
      fp4: {
        bandwidth: 0.93,
        compute: 0.3273,
        floor: 0.00004971,
        knee: 2.175,
        tile: 114,
        narrow: 1742,
        perExpert: 4.357e-10,
      },
    },
    latent: {
      bandwidth: {
        1: 0.7916,
        2: 0.6927,
      },
      decode: {
        1: 0.8127,
        2: 0.95,
      },
      floor: 0.00001089,
      knee: 1.41,
      prefill: {
        1: 0.4655,
        2: 0.4976,
      },
      prefillFloor: 0.00002881,
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
      floor: 0.00001066,
      mid: 2.287e-17,
      halfBytes: 20000000,
      perSequenceHead: 9.949e-10,
    },
    prefillAttention: {
      compute: {
        1: 0.9661,
        2: 0.5687,
      },
      floor: 0.00001577,
      perTokenElement: 2.911e-12,
    },
    allReduce: {
      2: {
        floor: 0.000004597,
        mid: 0.00003331,
        halfBytes: 261000000,
        bandwidth: 0.5904,
      },
      4: {
        floor: 0.000004551,
        mid: 0.00006965,
        halfBytes: 22680000,
        bandwidth: 0.7331,
      },
      8: {
        floor: 0.000005302,
        mid: 0.00007764,
        halfBytes: 9210000,
        bandwidth: 0.8178,
      },
    },
  },
  'rtx-pro-6000': {
    gemm: {
      bf16: {
        bandwidth: 0.8538,
        compute: 0.8001,
        floor: 0.000002569,
        knee: 1.535,
        quantise: 0,
      },
      fp8: {
        bandwidth: 0.8386,
        compute: 0.7246,
        floor: 0.00001168,
        knee: 1.981,
        quantise: 3.788,
      },
      fp4: {
        bandwidth: 0.5511,
        compute: 0.6626,
        floor: 0.000007242,
        knee: 6,
        quantise: 1.971,
      },
    },
    mixture: {
      bf16: {
        bandwidth: 0.8045,
        compute: 0.5728,
        floor: 0.00001974,
        knee: 1.993,
        tile: 0.000008213,
        narrow: 113.9,
        perExpert: 1.382e-11,
      },
      fp8: {
        bandwidth: 0.7863,
        compute: 0.6384,
        floor: 0.00001984,
        knee: 1.906,
        tile: 1.681e-10,
        narrow: 313.1,
        perExpert: 1.323e-13,
      },
      w4: {
        bandwidth: 0.7105,
        compute: 0.95,
        floor: 0.0000692,
        knee: 2.438,
        tile: 2.231,
        narrow: 0.06799,
        perExpert: 3.324e-8,
      },
      fp4: {
        bandwidth: 0.8105,
        compute: 0.6157,
        floor: 0.00004955,
        knee: 2.082,
        tile: 0.0623,
        narrow: 315.1,
        perExpert: 2.795e-7,
      },
    },
    latent: {
      bandwidth: {
        1: 0.3231,
        2: 0.5918,
      },
      decode: {
        1: 1.748,
        2: 0.2775,
      },
      floor: 0.00002535,
      knee: 6,
      prefill: {
        1: 0.4418,
        2: 0.4071,
      },
      prefillFloor: 0.00002331,
    },
    decodeAttention: {
      grouped: {
        1: 0.859,
        2: 0.93,
      },
      ungrouped: {
        1: 0.93,
        2: 0.93,
      },
      floor: 0.000008916,
      mid: 1.919e-13,
      halfBytes: 10400000,
      perSequenceHead: 7.895e-10,
    },
    prefillAttention: {
      compute: {
        1: 0.3578,
        2: 0.4265,
      },
      floor: 0.00001347,
      perTokenElement: 5.565e-12,
    },
    allReduce: {
      2: {
        floor: 0.000006375,
        mid: 0.00001716,
        halfBytes: 594900,
        bandwidth: 0.5896,
      },
      4: {
        floor: 0.00001284,
        mid: 0.00001187,
        halfBytes: 277300,
        bandwidth: 0.3786,
      },
      8: {
        floor: 0.0000246,
        mid: 0.00005009,
        halfBytes: 305300,
        bandwidth: 0.3766,
      },
    },
  },
};

export const ENGINES: Readonly<Record<MeasuredEngine, EngineOverheads>> = {
  'tensorrt-llm': {
    memory: 0.9419,
    compute16: 1.075,
    compute8: 1.127,
    compute4: 1.101,
    attention16: 0.9291,
    attention8: 0.9972,
    perHeadToken: 5e-12,
    floors: 1.11,
    mixtureFloors: 1,
    elementwise: 0.8172,
    allReduce: 0.00000368,
    transfer: 1.209,
    transferPcie: 1.173,
    perStep: 0.0004029,
    perSequence: 0.000004432,
    perStream: 0.000007757,
    perRequest: 0.005,
  },
  'tensorrt-llm-0.14': {
    memory: 1.127,
    compute16: 1.142,
    compute8: 1.158,
    compute4: 0.9899,
    attention16: 1.13,
    attention8: 1.072,
    perHeadToken: 1.816e-12,
    floors: 1.26,
    mixtureFloors: 1,
    elementwise: 0.703,
    allReduce: 0.000004107,
    transfer: 1.346,
    transferPcie: 1.294,
    perStep: 0.0003157,
    perSequence: 0.000004437,
    perStream: 0.00000983,
    perRequest: 0.005,
  },
  'tensorrt-llm-0.10': {
    memory: 1.229,
    compute16: 1.04,
    compute8: 1.132,
    compute4: 1.018,
    attention16: 1.029,
    attention8: 0.7875,
    perHeadToken: 6.996e-11,
    floors: 0.6096,
    mixtureFloors: 1,
    elementwise: 0.9838,
    allReduce: 0.000003329,
    transfer: 1.574,
    transferPcie: 1.241,
    perStep: 0.0003087,
    perSequence: 0.000007395,
    perStream: 0.000009334,
    perRequest: 0.005,
  },
  vllm: {
    memory: 0.9179,
    compute16: 1.009,
    compute8: 1.532,
    compute4: 1.114,
    attention16: 0.9925,
    attention8: 1.325,
    perHeadToken: 5e-12,
    floors: 1.692,
    mixtureFloors: 1,
    elementwise: 1.003,
    allReduce: 0.000003873,
    transfer: 1.286,
    transferPcie: 1.332,
    perStep: 0.0003384,
    perSequence: 0.000004629,
    perStream: 0.000008353,
    perRequest: 0.005,
  },
};
