/**
 * Empirical Bayes over a chain of clusterings, coarse to fine: in each cluster the mean of what the coarser ones leave
 * unexplained, shrunk by as much as the data say (method of moments: Morris, JASA 78, 1983, section 3).
 */
import type { Level } from '../../deciding/quality/quality.ts';
import type { Effects } from './scores.ts';

/** A clustering of all prompts; which scores are used is decided later. */
export interface Partition {
  /** k × dimensions. */
  readonly centroids: Float32Array;
  readonly clusters: number;
  /** Per prompt. */
  readonly labels: Uint32Array;
}

/**
 * @param rows the prompts learned from
 * @param weight of what tells experts apart; what makes a prompt easy or hard for all of them counts in full
 */
export function fitChain(
  partitions: readonly Partition[],
  { ease, rest, means }: Effects,
  rows: readonly number[],
  weight = 1,
): Level[] {
  const experts = means.length;
  const left = Float64Array.from(rest);
  const leftEase = Float64Array.from(ease);
  return partitions.map(({ centroids, clusters, labels }) => {
    const own = cellsOf(left, experts, rows, labels, clusters);
    const common = cellsOf(leftEase, 1, rows, labels, clusters);
    for (const row of rows) {
      const cluster = labels[row]!;
      leftEase[row]! -= common.offsets[cluster]!;
      for (let expert = 0; expert < experts; expert += 1)
        left[row * experts + expert]! -= own.offsets[cluster * experts + expert]!;
    }
    return {
      centroids,
      offsets: Float32Array.from(
        own.offsets,
        (value, at) => weight * value + common.offsets[Math.floor(at / experts)]!,
      ),
      variances: Float32Array.from(
        own.variances,
        (value, at) => value + common.variances[Math.floor(at / experts)]!,
      ),
    };
  });
}

interface Cells {
  /** clusters × columns. */
  readonly offsets: Float64Array;
  readonly variances: Float64Array;
}

/** Shrunk means of a matrix (prompts × columns, NaN where missing) in each cluster. */
function cellsOf(
  values: Float64Array,
  columns: number,
  rows: readonly number[],
  labels: Uint32Array,
  clusters: number,
): Cells {
  const cells = clusters * columns;
  const sums = new Float64Array(cells);
  const counts = new Float64Array(cells);
  let squares = 0;
  let count = 0;
  for (const row of rows) {
    const to = labels[row]! * columns;
    for (let column = 0; column < columns; column += 1) {
      const value = values[row * columns + column]!;
      if (Number.isNaN(value)) continue;
      sums[to + column]! += value;
      counts[to + column]! += 1;
      squares += value * value;
      count += 1;
    }
  }
  const { noise, spread } = variancesOf(sums, counts, squares, count);
  const share = (at: number): number =>
    spread === 0 || counts[at] === 0 ? 0 : spread / (spread + noise / counts[at]!);
  return {
    offsets: sums.map((sum, at) => (counts[at]! > 0 ? (share(at) * sum) / counts[at]! : 0)),
    variances: counts.map((_, at) => spread * (1 - share(at))),
  };
}

/**
 * Variance within cells and of the cells' true means: E[Σ n·mean²] = N·spread + cells·noise.
 */
function variancesOf(
  sums: Float64Array,
  counts: Float64Array,
  squares: number,
  count: number,
): { noise: number; spread: number } {
  let between = 0;
  let filled = 0;
  for (let at = 0; at < sums.length; at += 1) {
    if (counts[at] === 0) continue;
    between += sums[at]! ** 2 / counts[at]!;
    filled += 1;
  }
  const noise = count > filled ? Math.max(0, squares - between) / (count - filled) : 0;
  const spread = count > filled ? Math.max(0, (between - filled * noise) / count) : 0;
  return { noise, spread };
}
