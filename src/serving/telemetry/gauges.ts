/** What is so now rather than counted, read when the metrics page is asked for. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** What one replica's engine last reported; null for what it does not tell. */
export interface EngineLoad {
  readonly expert: string;
  readonly replica: string;
  readonly running: number | null;
  readonly waiting: number | null;
  readonly kvCacheUse: number | null;
  readonly ageSeconds: number;
}

/** 0 closed, 0.5 half-open, 1 open. */
export interface BreakerLevel {
  readonly expert: string;
  readonly replica: string;
  readonly level: number;
}

/** One expert's, in this process. */
export interface LoadNow {
  readonly inFlight: number;
  readonly queued: number;
  readonly available: boolean;
  readonly drained: boolean;
}

/** Shows each expert's load, read when the page is asked for. */
export function watchLoads(registry: Registry, loads: () => ReadonlyMap<string, LoadNow>): void {
  const gauge = (name: string, help: string, value: (load: LoadNow) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['expert'],
      registers: [registry],
      aggregator: name.endsWith('available') || name.endsWith('drained') ? 'max' : 'sum',
      collect() {
        this.reset(); // a reload may have taken an expert away
        for (const [expert, load] of loads()) this.set({ expert }, value(load));
      },
    });
  };
  gauge('expert_router_inflight', 'Requests with an expert now', (load) => load.inFlight);
  gauge('expert_router_queued', 'Requests waiting for an expert now', (load) => load.queued);
  gauge(
    'expert_router_demand',
    'Requests with an expert or waiting for it',
    (load) => load.inFlight + load.queued,
  );
  gauge('expert_router_available', '1 if an expert can take requests', (load) => Number(load.available));
  gauge('expert_router_drained', '1 if operators have taken all of an expert out of service', (load) =>
    Number(load.drained),
  );
}

/** Shows what engines say of themselves, read when the page is asked for. All workers say the same of one replica. */
export function watchEngines(registry: Registry, engines: () => readonly EngineLoad[]): void {
  const gauge = (name: string, help: string, value: (engine: EngineLoad) => number | null): void => {
    new Gauge({
      name,
      help,
      labelNames: ['expert', 'replica'],
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.reset();
        for (const engine of engines()) {
          const told = value(engine);
          if (told !== null) this.set({ expert: engine.expert, replica: engine.replica }, told);
        }
      },
    });
  };
  gauge('expert_router_engine_running', "Requests in an engine's batch, by its own report", (e) => e.running);
  gauge(
    'expert_router_engine_waiting',
    'Requests that wait in an engine, by its own report',
    (e) => e.waiting,
  );
  gauge('expert_router_engine_kv_cache_use', 'Share of the KV cache in use, 0 to 1', (e) => e.kvCacheUse);
  gauge(
    'expert_router_engine_report_age_seconds',
    'Time since an engine last reported its load; the oldest over workers',
    (e) => e.ageSeconds,
  );
}

/** Shows how far breakers are open, read when the page is asked for; the most open over workers. */
export function watchBreakers(registry: Registry, breakers: () => readonly BreakerLevel[]): void {
  new Gauge({
    name: 'expert_router_breaker',
    help: '0 closed, 0.5 half-open, 1 open',
    labelNames: ['expert', 'replica'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const { expert, replica, level } of breakers()) this.set({ expert, replica }, level);
    },
  });
}

/** How far requests are from what the router model was trained on. */
export interface SeenDrift {
  readonly requests: number;
  readonly distance: number;
  readonly bound: number;
  readonly outside: number;
}

/** Shows the drift of the latest requests, read when the page is asked for; the mean over workers. */
export function watchDrift(registry: Registry, seen: () => SeenDrift): void {
  const gauge = (name: string, help: string, value: (drift: SeenDrift) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'average',
      collect() {
        this.set(value(seen()));
      },
    });
  };
  gauge(
    'expert_router_drift_distance',
    'Jensen-Shannon distance of cluster shares from those in training, 0 to 1, of the latest requests',
    ({ distance }) => distance,
  );
  gauge(
    'expert_router_drift_bound',
    'What chance alone keeps that distance below in 999 of 1,000 samples of this size',
    ({ bound }) => bound,
  );
  gauge(
    'expert_router_outside_share',
    'Share of the latest requests unlike anything the router model knows; 0.025 in training',
    ({ outside }) => outside,
  );
}

/** Shows what a shadow router model would have decided; from zero again where there is another one. */
export function watchShadow(
  registry: Registry,
  pairs: () => readonly (readonly [expert: string, shadow: string, count: number])[],
): void {
  new Counter({
    name: 'expert_router_shadow_decisions_total',
    help: 'A sample of decisions: the expert that the prompt belongs to, and the one by the shadow router model',
    labelNames: ['expert', 'shadow'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [expert, shadow, count] of pairs()) this.inc({ expert, shadow }, count);
    },
  });
}

/** Shows how many other processes share hints with this one, by whether they serve the same config and router model. */
export function watchGateways(registry: Registry, peers: () => readonly { readonly same: boolean }[]): void {
  new Gauge({
    name: 'expert_router_gateways',
    help: 'Other gateway processes heard of through Redis, by whether they serve the same config and router model',
    labelNames: ['same'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      const all = peers();
      for (const same of [true, false])
        this.set({ same: String(same) }, all.filter((peer) => peer.same === same).length);
    },
  });
}
