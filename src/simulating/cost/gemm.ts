/** Time of one dense matrix product [m, k] x [k, n]: a roofline with a rounded knee. */
import type { GemmEfficiency } from './efficiency.ts';

export interface GemmRates {
  /** Bytes per second and operations per second really reached. */
  readonly bandwidth: number;
  readonly flops: number;
  readonly floor: number;
  readonly knee: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
}

export function gemmRates(
  efficiency: GemmEfficiency,
  peak: { readonly bandwidth: number; readonly flops: number },
  bytes: { readonly weightBytes: number; readonly activationBytes: number },
): GemmRates {
  return {
    bandwidth: peak.bandwidth * efficiency.bandwidth,
    flops: peak.flops * efficiency.compute,
    floor: efficiency.floor,
    knee: efficiency.knee,
    ...bytes,
  };
}

/**
 * Seconds without the floor. Williams et al., "Roofline" (CACM 2009), with the maximum replaced by a p-norm:
 * near the knee neither side is fully hidden behind the other.
 * @param matrices weight matrices read (mixtures of experts read several), each met by `rows` tokens on average
 */
export function gemmSeconds(rates: GemmRates, rows: number, n: number, k: number, matrices = 1): number {
  const bytes = matrices * (n * k * rates.weightBytes + rows * (k * rates.activationBytes + n * 2));
  const memory = bytes / rates.bandwidth;
  const compute = (2 * matrices * rows * n * k) / rates.flops;
  return roundedMax(memory, compute, rates.knee);
}

/** (a^p + b^p)^(1/p), computed on the ratio so that it cannot overflow; zero for an empty product. */
export function roundedMax(a: number, b: number, p: number): number {
  const high = a > b ? a : b;
  if (high <= 0) return 0;
  const ratio = (a > b ? b : a) / high;
  return high * (1 + ratio ** p) ** (1 / p);
}
