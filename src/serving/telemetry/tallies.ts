/**
 * Counters and histograms for what every request adds to. A set of label values is looked up by its text and then is a
 * number or a row of numbers; prom-client's own check and sort the labels at each call, at about a microsecond.
 */
import {
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  type MetricValueWithName,
  type Registry,
} from 'prom-client';

interface TallyOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** None where it is shown by views only. */
  readonly registry: Registry | null;
  /** Values that the last label has of its own beside each of the others; further ones count together as `other`. */
  readonly most?: number;
}

export const OTHER = 'other';

/** The values of labels, in the order of their names. */
type LabelValues = readonly (string | number)[];

/** By the values of the labels before. */
interface Branch<T> {
  readonly next: Map<string | number, Branch<T>>;
  cell: T | null;
}

/** A cell for each set of label values, found label by label: to join them into one key would make a string each time. */
class Cells<T> {
  readonly #names: readonly string[];
  readonly #most: number;
  readonly #fresh: () => T;
  readonly #root: Branch<T> = { next: new Map(), cell: null };
  readonly #all: { readonly values: LabelValues; readonly cell: T }[] = [];

  constructor({ labelNames, most = Number.POSITIVE_INFINITY }: TallyOptions, fresh: () => T) {
    this.#names = labelNames;
    this.#most = most;
    this.#fresh = fresh;
  }

  at(values: LabelValues): T {
    let branch = this.#root;
    for (let at = 0; at < values.length; at += 1) {
      const next = branch.next.get(values[at]!);
      if (!next && at === values.length - 1 && branch.next.size >= this.#most && values[at] !== OTHER)
        return this.at([...values.slice(0, -1), OTHER]);
      branch = next ?? grown(branch, values[at]!);
    }
    return branch.cell ?? this.#begin(branch, values);
  }

  #begin(branch: Branch<T>, values: LabelValues): T {
    const cell = this.#fresh();
    branch.cell = cell;
    this.#all.push({ values: [...values], cell });
    return cell;
  }

  *all(): Generator<readonly [labels: Record<string, string | number>, cell: T]> {
    for (const { values, cell } of this.#all)
      yield [Object.fromEntries(this.#names.map((name, at) => [name, values[at]!])), cell];
  }
}

function grown<T>({ next }: Branch<T>, value: string | number): Branch<T> {
  const branch: Branch<T> = { next: new Map(), cell: null };
  next.set(value, branch);
  return branch;
}

export class TallyCounter extends Counter<string> {
  readonly #about: { readonly name: string; readonly help: string };
  readonly #cells: Cells<{ sum: number }>;

  constructor(options: TallyOptions) {
    const { name, help, labelNames, registry } = options;
    super({ name, help, labelNames: [...labelNames], registers: registry ? [registry] : [] });
    this.#about = { name, help };
    this.#cells = new Cells(options, () => ({ sum: 0 }));
    if (labelNames.length === 0) this.#cells.at([]);
  }

  add(value: number, ...labels: LabelValues): void {
    this.#cells.at(labels).sum += value;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const values = Array.from(this.#cells.all(), ([labels, { sum }]) => ({ value: sum, labels }));
    return onPage(this.#about, 'counter', values);
  }
}

interface Row {
  /** How many values are at most each bound, and above the one before. */
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

export class TallyHistogram extends Histogram<string> {
  readonly #about: { readonly name: string; readonly help: string };
  readonly #bounds: readonly number[];
  readonly #rows: Cells<Row>;

  constructor({ buckets, ...options }: TallyOptions & { readonly buckets: readonly number[] }) {
    const { name, help, labelNames, registry } = options;
    super({
      name,
      help,
      labelNames: [...labelNames],
      buckets: [...buckets],
      registers: registry ? [registry] : [],
    });
    this.#about = { name, help };
    this.#bounds = buckets;
    this.#rows = new Cells(options, () => ({
      counts: new Float64Array(buckets.length),
      sum: 0,
      count: 0,
    }));
    if (labelNames.length === 0) this.#rows.at([]);
  }

  record(value: number, ...labels: LabelValues): void {
    const row = this.#rows.at(labels);
    row.sum += value;
    row.count += 1;
    const bounds = this.#bounds;
    for (let at = 0; at < bounds.length; at += 1) {
      if (value > bounds[at]!) continue;
      row.counts[at]! += 1;
      return;
    }
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = Array.from(this.#rows.all(), (row) => this.#shown(row)).flat();
    return onPage(this.#about, 'histogram', values);
  }

  /** What the registry's page is made of. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.get();
  }

  #shown([labels, { counts, sum, count }]: readonly [
    Record<string, string | number>,
    Row,
  ]): MetricValueWithName<string>[] {
    const { name } = this.#about;
    let below = 0;
    const buckets = this.#bounds.map((le, at) => {
      below += counts[at]!;
      return { metricName: `${name}_bucket`, value: below, labels: { le, ...labels } };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, value: count, labels: { le: '+Inf', ...labels } },
      { metricName: `${name}_sum`, value: sum, labels },
      { metricName: `${name}_count`, value: count, labels },
    ];
  }
}

/** As the registry reads it: its types ask for more than it does. */
function onPage<V extends MetricValue<string>>(
  about: { readonly name: string; readonly help: string },
  type: 'counter' | 'histogram',
  values: readonly V[],
): MetricObjectWithValues<V> {
  return { ...about, type, aggregator: 'sum', values } as unknown as MetricObjectWithValues<V>;
}
