/** Outcomes as matrices: how good, how dear and how slow each expert was on each prompt. */

export interface Outcomes {
  readonly prompts: readonly string[];
  readonly experts: readonly string[];
  /** n × m, row-major, 0..1; NaN where an expert was not scored. */
  readonly scores: Float64Array;
  /** n × m, NaN where not said; null if nothing was said at all. */
  readonly costs: Float64Array | null;
  readonly latencies: Float64Array | null;
  /** Per prompt; null where not said. */
  readonly tasks: readonly (string | null)[];
  readonly labels: readonly (string | null)[];
  /** The scores are 1 and 0, made of labels that name the right expert. */
  readonly fromLabels: boolean;
  /** What the user should know about how the file was read. */
  readonly notices: readonly string[];
}

/** The given prompts alone, in the given order. */
export function rowsOfOutcomes(outcomes: Outcomes, rows: readonly number[]): Outcomes {
  const m = outcomes.experts.length;
  const matrix = (values: Float64Array): Float64Array => {
    const chosen = new Float64Array(rows.length * m);
    rows.forEach((row, index) => {
      chosen.set(values.subarray(row * m, (row + 1) * m), index * m);
    });
    return chosen;
  };
  return {
    ...outcomes,
    prompts: rows.map((row) => outcomes.prompts[row]!),
    scores: matrix(outcomes.scores),
    costs: outcomes.costs && matrix(outcomes.costs),
    latencies: outcomes.latencies && matrix(outcomes.latencies),
    tasks: rows.map((row) => outcomes.tasks[row]!),
    labels: rows.map((row) => outcomes.labels[row]!),
  };
}

/** Mean of each expert's column; null where it has no number. */
export function columnMeans(values: Float64Array | null, experts: number): readonly (number | null)[] {
  return Array.from({ length: experts }, (_, expert) => {
    let sum = 0;
    let count = 0;
    for (let at = expert; values !== null && at < values.length; at += experts) {
      if (Number.isNaN(values[at]!)) continue;
      sum += values[at]!;
      count += 1;
    }
    return count === 0 ? null : sum / count;
  });
}
