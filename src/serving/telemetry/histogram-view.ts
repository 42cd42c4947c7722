/** The same histogram under another name and other labels, added up where labels fall together. Costs nothing until read. */
import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';

export interface ViewOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registry: Registry;
  /** The labels of a value of the original, without `le`. */
  relabel(labels: Labels): Labels;
}

type Labels = Readonly<Record<string, string | number>>;
type Values = MetricObjectWithValues<MetricValueWithName<string>>;

export class HistogramView extends Histogram<string> {
  readonly #original: Histogram<string>;
  readonly #name: string;
  readonly #relabel: ViewOptions['relabel'];

  constructor(original: Histogram<string>, { name, help, labelNames, registry, relabel }: ViewOptions) {
    super({ name, help, labelNames: [...labelNames], registers: [registry] });
    this.#original = original;
    this.#name = name;
    this.#relabel = relabel;
  }

  override async get(): Promise<Values> {
    const { name: original, ...whole } = (await this.#original.get()) as Values & { name: string };
    const sums = new Map<string, MetricValueWithName<string>>();
    for (const value of whole.values) {
      const { le, ...labels } = value.labels as Record<string, string | number>;
      const shown = { ...(le === undefined ? {} : { le }), ...this.#relabel(labels) };
      const metricName = value.metricName!.replace(original, this.#name);
      const key = `${metricName} ${JSON.stringify(shown)}`;
      const sum = sums.get(key);
      if (sum) sum.value += value.value;
      else sums.set(key, { metricName, value: value.value, labels: shown });
    }
    const { name, help } = this as unknown as { name: string; help: string };
    return { ...whole, name, help, values: [...sums.values()] };
  }

  /** What the registry's page is made of, where a metric has it. */
  getForPromString(): Promise<Values> {
    return this.get();
  }
}
