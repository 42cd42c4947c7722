/**
 * A histogram of milliseconds whose bins grow by a constant factor: small, added up by adding counts, and good to a few
 * per cent anywhere from a tenth of a millisecond to a quarter of an hour.
 */

/** Bins to a factor of ten: neighbouring ones differ by 15 %. */
const PER_DECADE = 16;
const LEAST_MS = 0.1;
const LAST = PER_DECADE * 7;

/** Counts by bin; absent bins are empty. */
export type Bins = Record<number, number>;

export function count(bins: Bins, ms: number): void {
  const bin = Math.floor(Math.log10(Math.max(ms, LEAST_MS) / LEAST_MS) * PER_DECADE);
  const held = Math.min(bin, LAST);
  bins[held] = (bins[held] ?? 0) + 1;
}

export function addBins(to: Bins, from: Bins): void {
  for (const bin in from) to[bin] = (to[bin] ?? 0) + from[bin]!;
}

/** @param share 0 to 1 @returns milliseconds, interpolated within the bin; null of nothing */
export function quantileOf(bins: Bins, share: number): number | null {
  const filled = Object.entries(bins).map(([bin, n]) => [Number(bin), n] as const);
  const total = filled.reduce((sum, [, n]) => sum + n, 0);
  if (total === 0) return null;
  filled.sort((a, b) => a[0] - b[0]);
  let left = share * total;
  for (const [bin, n] of filled) {
    if (left <= n) return edge(bin + left / n);
    left -= n;
  }
  return edge(filled.at(-1)![0] + 1);
}

function edge(bin: number): number {
  return LEAST_MS * 10 ** (bin / PER_DECADE);
}
