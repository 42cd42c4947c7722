/** What an engine's metrics add up to, and where they are. Pure. */
import type { EngineFacts, LoadSource, ReportedLoad, Signal } from './engine.ts';
import { ENGINES } from './index.ts';
import type { MetricsPage, Sample } from './prometheus.ts';

const SIGNALS = ['running', 'waiting', 'kvCacheUse'] as const;

const ALL_SOURCES: readonly LoadSource[] = ENGINES.flatMap(({ metrics }) => metrics?.load ?? []);

/** Every metric that tells a load: what a reader of a page needs to keep. */
export const LOAD_METRICS: ReadonlySet<string> = new Set(ALL_SOURCES.flatMap(namesOf));

/**
 * The load that a page tells. A signal whose metrics the page lacks, or has without a number, is null.
 * @param engine reads its metrics alone; all that are known for one without any of its own, and for null
 * @param model counts samples of this model alone, where the page tells models apart and has it; else all of them
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
  return {
    running: value('running'),
    waiting: value('waiting'),
    kvCacheUse: kvCacheUse === null ? null : Math.min(1, kvCacheUse),
  };
}

/** Whether anything is known at all. */
export function tellsLoad(load: ReportedLoad): boolean {
  return SIGNALS.some((signal) => load[signal] !== null);
}

/** The metrics looked for at an engine. */
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
  return base.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
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
