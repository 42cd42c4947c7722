/** Time to sum one activation tensor over the GPUs of a tensor-parallel group. */
import type { AllReduceEfficiency } from './efficiency.ts';

/**
 * Seconds, without the floor. Long messages follow the ring's 2 (p-1)/p x bytes / bandwidth
 * (Thakur et al., 2005; NCCL's "bus bandwidth"); short ones wait, which `mid` describes.
 */
export function allReduceSeconds(
  efficiency: AllReduceEfficiency,
  linkBandwidth: number,
  gpus: number,
  bytes: number,
): number {
  const ring = (2 * (gpus - 1) * bytes) / gpus / (linkBandwidth * efficiency.bandwidth);
  return ring + (efficiency.mid * bytes) / (bytes + efficiency.halfBytes);
}
