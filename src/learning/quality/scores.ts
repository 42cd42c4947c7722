/** Scores of experts on prompts as a matrix in which any may be missing, and its parts: expert, prompt, and the rest. */

/** n prompts × m experts, row-major; NaN where an expert was not scored. */
export interface Scores {
  readonly experts: readonly string[];
  readonly prompts: number;
  readonly values: Float64Array;
}

/** score = mean of the expert + ease of the prompt + rest. */
export interface Effects {
  /** Per expert, shrunk towards their common mean where it has few scores. */
  readonly means: Float64Array;
  /** Variance of each mean's error. */
  readonly variances: Float64Array;
  /** Per prompt; 0 for the average prompt. Shrunk, because few experts' scores say little about it. */
  readonly ease: Float64Array;
  /** n × m; NaN where missing. */
  readonly rest: Float64Array;
}

const ITERATIONS = 25;

/**
 * Best linear unbiased predictions of a crossed model with random prompts and experts (Searle, Casella & McCulloch,
 * "Variance Components", 1992, chapter 7), their variances by the method of moments. Only rows for which `use` is true
 * count for the means and variances; ease and rest are given for all.
 */
export function effectsOf(scores: Scores, use: (row: number) => boolean): Effects {
  const rows = Array.from({ length: scores.prompts }, (_, row) => row).filter(use);
  let means = columnMeans(scores, rows, null);
  let ease = easeOf(scores, means.values, noiseOverEase(scores, rows, means));
  for (let round = 0; round < ITERATIONS; round += 1) {
    means = columnMeans(scores, rows, ease);
    ease = easeOf(scores, means.values, noiseOverEase(scores, rows, means));
  }
  const rest = restOf(scores, means.values, ease);
  return { ...shrunk(means, varianceOf(rest, scores.experts.length, rows)), ease, rest };
}

interface Means {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** Means of the columns after the rows' effects; a column without a score has the mean of all. */
function columnMeans({ experts, values }: Scores, rows: readonly number[], ease: Float64Array | null): Means {
  const m = experts.length;
  const sums = new Float64Array(m);
  const counts = new Float64Array(m);
  for (const row of rows) {
    for (let expert = 0; expert < m; expert += 1) {
      const value = values[row * m + expert]!;
      if (Number.isNaN(value)) continue;
      sums[expert]! += value - (ease?.[row] ?? 0);
      counts[expert]! += 1;
    }
  }
  const all = total(counts) === 0 ? 0 : total(sums) / total(counts);
  return { values: sums.map((sum, expert) => (counts[expert]! > 0 ? sum / counts[expert]! : all)), counts };
}

function easeOf({ experts, prompts, values }: Scores, means: Float64Array, ratio: number): Float64Array {
  const m = experts.length;
  return Float64Array.from({ length: prompts }, (_, row) => {
    let sum = 0;
    let count = 0;
    for (let expert = 0; expert < m; expert += 1) {
      const value = values[row * m + expert]!;
      if (Number.isNaN(value)) continue;
      sum += value - means[expert]!;
      count += 1;
    }
    return count === 0 ? 0 : sum / (count + ratio);
  });
}

function restOf({ experts, values }: Scores, means: Float64Array, ease: Float64Array): Float64Array {
  const m = experts.length;
  return values.map((value, at) => value - means[at % m]! - ease[Math.floor(at / m)]!);
}

/**
 * Variance of the noise over that of the prompts' ease, by the method of moments over prompts with two scores or more.
 * Infinity, which makes every ease 0, where no prompt has two: then it cannot be told from the noise.
 */
function noiseOverEase({ experts, values }: Scores, rows: readonly number[], means: Means): number {
  const m = experts.length;
  let within = 0;
  let freedom = 0;
  let between = 0;
  let share = 0;
  let several = 0;
  for (const row of rows) {
    const own: number[] = [];
    for (let expert = 0; expert < m; expert += 1) {
      const value = values[row * m + expert]!;
      if (!Number.isNaN(value)) own.push(value - means.values[expert]!);
    }
    if (own.length < 2) continue;
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    for (const value of own) within += (value - mean) ** 2;
    freedom += own.length - 1;
    between += mean ** 2;
    share += 1 / own.length;
    several += 1;
  }
  if (several === 0) return Number.POSITIVE_INFINITY;
  const noise = within / freedom;
  const ease = (between - noise * share) / several;
  return ease <= 0 ? Number.POSITIVE_INFINITY : noise / ease;
}

function varianceOf(rest: Float64Array, experts: number, rows: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    for (let at = row * experts; at < (row + 1) * experts; at += 1) {
      const value = rest[at]!;
      if (Number.isNaN(value)) continue;
      sum += value * value;
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Means of few scores move towards the mean of the experts (James–Stein, by the method of moments). */
function shrunk({ values, counts }: Means, noise: number): Pick<Effects, 'means' | 'variances'> {
  const known = [...values.keys()].filter((expert) => counts[expert]! > 0);
  const centre = known.reduce((sum, expert) => sum + values[expert]!, 0) / Math.max(1, known.length);
  let spread = 0;
  for (const expert of known) spread += (values[expert]! - centre) ** 2 - noise / counts[expert]!;
  const tau2 = Math.max(0, spread / Math.max(1, known.length - 1));
  const share = (expert: number): number => tau2 / (tau2 + noise / counts[expert]! || 1);
  return {
    means: values.map((value, expert) =>
      counts[expert]! > 0 && known.length > 1 ? centre + share(expert) * (value - centre) : value,
    ),
    variances: values.map((_, expert) =>
      counts[expert]! === 0 ? tau2 : known.length > 1 ? tau2 * (1 - share(expert)) : noise / counts[expert]!,
    ),
  };
}

export function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
