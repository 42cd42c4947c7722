/** Reads a load from an engine's metrics, and knows where their page may be. Pure. */
import type {
  AdapterLabels,
  AdaptersAtWork,
  EngineFacts,
  LoadSource,
  ReportedLoad,
  Signal,
} from './engine.ts';
import { ENGINES } from './index.ts';
import type { MetricsPage, Sample } from './prometheus.ts';

const SIGNALS = ['running', 'waiting', 'kvCacheUse'] as const;

const ALL_SOURCES: readonly LoadSource[] = ENGINES.flatMap(({ metrics }) => metrics?.load ?? []);

/** Every metric that reports a load; others need not be kept. */
export const LOAD_METRICS: ReadonlySet<string> = new Set(
  ALL_SOURCES.flatMap((source) => [...namesOf(source), ...(source.adapters ? [source.adapters.name] : [])]),
);

/**
 * The load on a metrics page. A signal that is missing or not a number is null.
 * @param engine whose metrics count; those of all engines for null and for one without its own
 * @param model whose samples count, if the page labels samples by model and has this one; else all samples
 */
export function loadFrom(
  page: MetricsPage,
  engine: EngineFacts | null,
  model: string | null = null,
): ReportedLoad {
  const sources = sourcesOf(engine);
  const value = (signal: (typeof SIGNALS)[number]): number | null => {
    for (const source of sources) {
      const found = source[signal] && readSignal(page, source[signal], source.modelLabel, model);
      if (found !== null) return found;
    }
    return null;
  };
  const kvCacheUse = value('kvCacheUse');
  const adapters = sources
    .map((source) => source.adapters && adaptersAtWork(page, source.adapters))
    .find(Boolean);
  return {
    ...(adapters ? { adapters } : {}),
    running: value('running'),
    waiting: value('waiting'),
    kvCacheUse: kvCacheUse === null ? null : Math.min(1, kvCacheUse),
  };
}

/** Whether any signal is known. */
export function tellsLoad(load: ReportedLoad): boolean {
  return SIGNALS.some((signal) => load[signal] !== null);
}

/** The metrics that an engine is expected to have. */
export function metricsOf(engine: EngineFacts | null): readonly string[] {
  return [...new Set(sourcesOf(engine).flatMap(namesOf))];
}

/**
 * Where the metrics of an engine may be, most likely first.
 * @param base address of its API, with or without `/v1`
 * @param engine null for one that did not say what it is
 */
export function metricsAddresses(base: URL, engine: EngineFacts | null): readonly URL[] {
  const pages = engine?.metrics?.pages ?? [{ path: '/metrics', portShift: 0 }];
  return pages.map(({ path, portShift = 0 }) => {
    const address = new URL(portShift === 0 ? engineRoot(base) + path : path, base);
    if (portShift !== 0) address.port = String(Number(address.port || 80) + portShift);
    return address;
  });
}

/** The path that an engine's own addresses lie below: that of its API without `/v1`, without a final slash. */
export function engineRoot(base: URL): string {
  return base.pathname.replace(/(?<!\/)\/+$/, '').replace(/\/v1$/, '');
}

function sourcesOf(engine: EngineFacts | null): readonly LoadSource[] {
  const own = engine?.metrics?.load ?? [];
  return own.length > 0 ? own : ALL_SOURCES;
}

function namesOf(source: LoadSource): string[] {
  return SIGNALS.flatMap((signal) => source[signal]?.names ?? []);
}

function readSignal(
  { samples }: MetricsPage,
  { names, labels = {}, over }: Signal,
  modelLabel: string | null,
  model: string | null,
): number | null {
  for (const name of names) {
    const fitting = samples.filter(
      (sample) =>
        sample.name === name &&
        Number.isFinite(sample.value) &&
        sample.value >= 0 &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (fitting.length > 0) return combined(ofModel(fitting, modelLabel, model), over);
  }
  return null;
}

/** By the latest of its samples: those of earlier seconds stay on the page. Undefined where it has none. */
function adaptersAtWork({ samples }: MetricsPage, labels: AdapterLabels): AdaptersAtWork | undefined {
  const own = samples.filter(({ name, value }) => name === labels.name && Number.isFinite(value));
  const latest = own.filter(({ value }) => own.every((other) => other.value <= value));
  const slots = Number(latest[0]?.labels[labels.slots]);
  if (!(slots >= 1)) return undefined;
  const listed = latest.flatMap((sample) =>
    labels.lists.flatMap((list) => sample.labels[list]?.split(',') ?? []),
  );
  return { names: [...new Set(listed.map((name) => name.trim()).filter((name) => name !== ''))], slots };
}

function ofModel(samples: readonly Sample[], label: string | null, model: string | null): readonly Sample[] {
  if (label === null || model === null) return samples;
  const own = samples.filter((sample) => sample.labels[label] === model);
  return own.length > 0 ? own : samples;
}

function combined(samples: readonly Sample[], over: Signal['over']): number {
  const values = samples.map((sample) => sample.value);
  if (over === 'max') return Math.max(...values);
  const sum = values.reduce((total, value) => total + value, 0);
  return over === 'sum' ? sum : sum / values.length;
}
