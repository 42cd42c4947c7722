/** Collects readings by prompt and expert; repeated ones are averaged. */
import { UserError } from '../../core/errors.ts';
import type { OutcomeRecord, Reading } from './fields.ts';
import type { Outcomes } from './outcomes.ts';
import { onUnit, type Scale, scaleOf } from './scale.ts';

/** Scores below which nothing can be said of an expert. */
const LEAST_SCORES = 12;

interface Row {
  readonly prompt: string;
  task: string | null;
  labels: readonly string[];
  readonly readings: Map<string, Reading[]>;
}

interface Making {
  readonly scale?: Scale;
  readonly leastScores?: number;
  idOf(name: string): string;
  readonly notices: string[];
}

type Measure = 'score' | 'cost' | 'latency';

export class Gathered {
  readonly #rows = new Map<string, Row>();
  readonly #keepRepeats: boolean;
  #contradictingLabels = 0;

  /** @param keepRepeats whether a repeated prompt with several scores or a label is a row of its own each time */
  constructor(keepRepeats: boolean) {
    this.#keepRepeats = keepRepeats;
  }

  add({ prompt, task, labels, readings }: OutcomeRecord & { readonly prompt: string }): void {
    const isWhole = readings.length > 1 || labels.length > 0;
    const key = this.#keepRepeats && isWhole ? `${this.#rows.size} ${prompt}` : prompt;
    const row: Row = this.#rows.get(key) ?? { prompt, task, labels, readings: new Map() };
    this.#rows.set(key, row);
    row.task ??= task;
    if (labels.length > 0 && row.labels.length > 0 && labels[0] !== row.labels[0])
      this.#contradictingLabels += 1;
    if (row.labels.length === 0) row.labels = labels;
    for (const reading of readings) {
      const list = row.readings.get(reading.expert);
      if (list) list.push(reading);
      else row.readings.set(reading.expert, [reading]);
    }
  }

  /** @throws UserError when experts' scores cannot be compared, or too few are left */
  outcomes(making: Making): Outcomes {
    const rows = [...this.#rows.values()];
    const scored = rows.some((row) => row.readings.size > 0);
    if (this.#contradictingLabels > 0)
      making.notices.push(
        `${this.#contradictingLabels} repeated prompts have different labels; the first one counts`,
      );
    if (!scored) scoreByLabels(rows, making);
    const experts = scored ? this.#enough(rows, making) : [...expertsIn(rows).keys()].sort();
    const scale = this.#scale(rows, experts, making);
    tellOfRepeats(rows, scale, making.notices);
    const matrix = (measure: Measure): Float64Array =>
      Float64Array.from({ length: rows.length * experts.length }, (_, at) =>
        meanOf(
          rows[Math.floor(at / experts.length)]!.readings.get(experts[at % experts.length]!),
          measure,
          scale,
        ),
      );
    const orNull = (values: Float64Array): Float64Array | null =>
      values.every(Number.isNaN) ? null : values;
    return {
      prompts: rows.map(({ prompt }) => prompt),
      experts,
      scores: matrix('score'),
      costs: orNull(matrix('cost')),
      latencies: orNull(matrix('latency')),
      tasks: rows.map(({ task }) => task),
      labels: rows.map(({ labels }) => labels[0] ?? null),
      fromLabels: !scored,
      notices: making.notices,
    };
  }

  #enough(rows: readonly Row[], { leastScores = LEAST_SCORES, notices }: Making): string[] {
    const counts = expertsIn(rows);
    const few = [...counts].filter(([, count]) => count < leastScores);
    for (const [expert, count] of few)
      notices.push(
        `'${expert}' has ${count === 1 ? 'one score' : `${count} scores`}; fewer than ${leastScores} say nothing, so it is left out`,
      );
    const experts = [...counts.keys()].filter((expert) => counts.get(expert)! >= leastScores).sort();
    if (experts.length === 0)
      throw new UserError(`No expert has ${leastScores} scores or more: that is too little to learn from.`);
    return experts;
  }

  #scale(rows: readonly Row[], experts: readonly string[], { scale, notices }: Making): Scale {
    if (scale) return scale;
    const values = new Map(
      experts.map((expert) => [
        expert,
        rows.flatMap((row) =>
          (row.readings.get(expert) ?? []).map(({ score }) => score).filter((score) => !Number.isNaN(score)),
        ),
      ]),
    );
    const found = scaleOf(values);
    if (found.notice !== null) notices.push(found.notice);
    return found.scale;
  }
}

/** Number of scores of each expert. */
function expertsIn(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    for (const [expert, readings] of row.readings) {
      const scored = readings.some(({ score }) => !Number.isNaN(score));
      counts.set(expert, (counts.get(expert) ?? 0) + Number(scored));
    }
  }
  return counts;
}

/** A label that names the right expert is a score of 1 for it and of 0 for the others. */
function scoreByLabels(rows: readonly Row[], { idOf, notices }: Making): void {
  const names = new Map<string, number>();
  for (const label of rows.flatMap(({ labels }) => labels)) {
    names.set(idOf(label), (names.get(idOf(label)) ?? 0) + 1);
  }
  const lone = [...names].filter(([, count]) => count === 1).map(([name]) => name);
  if (lone.length > 0)
    notices.push(
      `labels with a single prompt: ${lone.slice(0, 8).join(', ')}; nothing can be learned from one, and nothing judged`,
    );
  for (const row of rows) {
    if (row.labels.length === 0) continue;
    const right = row.labels.map(idOf);
    for (const expert of names.keys())
      row.readings.set(expert, [
        { expert, score: Number(right.includes(expert)), cost: Number.NaN, latency: Number.NaN },
      ]);
  }
}

function tellOfRepeats(rows: readonly Row[], scale: Scale, notices: string[]): void {
  let repeated = 0;
  let different = 0;
  for (const { readings } of rows) {
    const several = [...readings.values()].filter((list) => list.length > 1);
    if (several.length > 0) repeated += 1;
    if (
      several.some((list) => list.some(({ score }) => onUnit(score, scale) !== onUnit(list[0]!.score, scale)))
    )
      different += 1;
  }
  if (repeated === 0) return;
  notices.push(
    `${repeated} prompts occur several times, ${different} of them with different scores; each counts once, with its mean scores`,
  );
}

/** NaN if nothing was said. Costs and latencies below 0 are mistakes. */
function meanOf(readings: readonly Reading[] | undefined, measure: Measure, scale: Scale): number {
  let sum = 0;
  let count = 0;
  for (const reading of readings ?? []) {
    const value = measure === 'score' ? onUnit(reading.score, scale) : reading[measure];
    if (Number.isNaN(value) || value < 0) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? Number.NaN : sum / count;
}
