/** What each engine does by habit: where its metrics are, and how they are switched on. Data; it asks nobody. */
import type { Engine } from './engine.ts';

interface Habit {
  /** Where its page of metrics is, below its base; with a shift of the port where it has one of its own. */
  readonly metrics: readonly { readonly path: string; readonly portShift?: number }[];
  /** How to have metrics where there are none. */
  readonly cure: string;
}

const SAME_PAGE = [{ path: '/metrics' }];

export const HABITS: Readonly<Record<Engine, Habit>> = {
  vLLM: { metrics: SAME_PAGE, cure: 'vLLM serves them unless started with --disable-log-stats' },
  SGLang: { metrics: SAME_PAGE, cure: 'start SGLang with --enable-metrics' },
  'TensorRT-LLM': {
    // Its /metrics is a queue of statistics that reading empties, so it is never asked.
    metrics: [{ path: '/prometheus/metrics' }],
    cure: 'set return_perf_metrics: true and enable_iter_perf_stats: true in the file of trtllm-serve --config',
  },
  Triton: {
    // HTTP, gRPC and metrics listen on 8000, 8001 and 8002; the OpenAI frontend has its page beside its API.
    metrics: [{ path: '/metrics', portShift: 2 }, { path: '/metrics' }],
    cure: 'start Triton with --allow-metrics=true; it listens on 8002 unless --metrics-port says otherwise',
  },
  'llama.cpp': { metrics: SAME_PAGE, cure: 'start llama-server with --metrics' },
  Ollama: { metrics: [], cure: 'Ollama has none' },
  TGI: { metrics: SAME_PAGE, cure: 'TGI serves them beside its API' },
  'Expert Router': { metrics: [], cure: "a router's own load is not its experts'" },
  'Expert Router emulator': { metrics: SAME_PAGE, cure: 'the emulator serves them beside its API' },
};

/**
 * Where the metrics of an engine may be, most likely first.
 * @param base address of its API, with or without `/v1`
 * @param engine null for one that did not say what it is
 */
export function metricsAddresses(base: URL, engine: Engine | null): readonly URL[] {
  const places = engine === null ? SAME_PAGE : HABITS[engine].metrics;
  return places.map(({ path, portShift = 0 }: Habit['metrics'][number]) => {
    const address = new URL(portShift === 0 ? engineRoot(base) + path : path, base);
    if (portShift !== 0) address.port = String(Number(address.port || 80) + portShift);
    return address;
  });
}

/** The path that an engine's own addresses lie below: that of its API without `/v1`, without a final slash. */
export function engineRoot(base: URL): string {
  return base.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
}
