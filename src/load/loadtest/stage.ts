/** One stage: applies a load for a time, waits for pending answers, then returns the figures. */
import { setMaxListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Fifo } from '../../core/fifo.ts';
import type { Random } from '../../core/random.ts';
import { HttpClient } from '../../http/client.ts';
import type { Arrivals } from '../../simulating/workload/arrivals.ts';
import type { TracedRequest } from '../../simulating/workload/traces.ts';
import { type Driving, driveClosed, driveOpen } from './drivers.ts';
import { Measures } from './measures.ts';
import { type PromptSource, type RequestOptions, requestOf } from './prompts.ts';
import type { ClientCost, StageResult } from './result.ts';
import { TimedRequest } from './timed-request.ts';

export interface StageOptions {
  readonly arrivals: Arrivals;
  readonly traced: readonly TracedRequest[] | null;
  readonly seconds: number;
  /** Seconds over which users start; throughput is measured after it. Closed loop only. */
  readonly rampSeconds: number;
  /** How long pending answers may take after the stage's end. */
  readonly drainSeconds: number;
  readonly timeoutMs: number;
  /** Maximum requests in flight; others queue, with their latency already counting. */
  readonly maxInFlight: number;
  /** Maximum requests of the stage. */
  readonly maxRequests: number;
  readonly prompts: PromptSource;
  readonly requestOptions: RequestOptions;
  readonly random: Random;
}

/** Progress of a running stage. */
export interface StageView {
  readonly elapsedSeconds: number;
  readonly inFlight: number;
  readonly measures: Measures;
}

const SWEEP_MS = 250;
/** Above these, the client's own slowness shows in its figures. */
const STARVED = { cpu: 0.85, delayMs: 60 };

/** Connections are kept as long as the server keeps them. */
export const NO_DEADLINES = { connect: 0, head: 0, idle: 0, unused: 0 } as const;

/** The load test's client: without deadlines, because a stage times out requests itself. */
export function loadClient(origin: URL): HttpClient {
  return new HttpClient(origin, NO_DEADLINES);
}

export async function runStage(
  options: StageOptions,
  client: HttpClient,
  stopped: AbortSignal,
  watch: (view: StageView) => void,
): Promise<StageResult> {
  const stage = new Stage(options, client, stopped);
  return stage.run(watch);
}

class Stage {
  readonly #options: StageOptions;
  readonly #client: HttpClient;
  readonly #byUser: AbortSignal;
  /** Aborted by the user, or because `maxRequests` is reached. */
  readonly #stopped: AbortSignal;
  readonly #measures = new Measures();
  readonly #inFlight = new Map<TimedRequest, (backOffMs: number) => void>();
  readonly #waiting = new Fifo<() => void>();
  readonly #full = new AbortController();
  readonly #from = performance.now();
  readonly #to: number;
  readonly #rampTo: number;
  readonly #window: { readonly from: number; to: number };
  /** Integral of requests in flight over time, for their mean. */
  #flightMs = 0;
  #lastSweep = this.#from;

  constructor(options: StageOptions, client: HttpClient, stopped: AbortSignal) {
    this.#options = options;
    this.#client = client;
    this.#byUser = stopped;
    this.#stopped = AbortSignal.any([stopped, this.#full.signal]);
    // Every waiting user adds a listener.
    setMaxListeners(0, this.#stopped);
    this.#to = this.#from + options.seconds * 1000;
    const ramp = options.arrivals.kind === 'closed' ? options.rampSeconds : 0;
    this.#rampTo = this.#from + ramp * 1000;
    this.#window = { from: this.#rampTo, to: this.#to };
  }

  async run(watch: (view: StageView) => void): Promise<StageResult> {
    const cpu = process.cpuUsage();
    const delay = monitorEventLoopDelay({ resolution: 10 });
    const { opened, retried } = this.#client;
    delay.enable();
    const sweep = setInterval(() => this.#sweep(watch), SWEEP_MS);
    await this.#drive();
    // Throughput is measured only while load was offered, even if the stage was stopped early.
    const until = Math.min(this.#to, performance.now());
    this.#window.to = until;
    delay.disable();
    const elapsed = (performance.now() - this.#from) / 1000;
    const used = process.cpuUsage(cpu);
    await this.#drain();
    clearInterval(sweep);
    const cost = clientCost((used.user + used.system) / 1e6 / elapsed, delay.percentile(99) / 1e6 - 10);
    return {
      ...this.#figures(until, cost),
      connections_opened: this.#client.opened - opened,
      reconnects: this.#client.retried - retried,
    };
  }

  async #drive(): Promise<void> {
    const { arrivals, random, traced } = this.#options;
    const driving: Driving = {
      now: () => performance.now(),
      random,
      from: this.#from,
      to: this.#to,
      rampTo: this.#rampTo,
      stopped: this.#stopped,
      send: (intended, one) => this.#send(intended, one),
    };
    // A closed loop ends with its users' last answers; `#drain` waits for those pending at the end.
    const driven =
      arrivals.kind === 'closed' ? driveClosed(arrivals, driving) : driveOpen(arrivals, traced, driving);
    await Promise.race([driven, this.#timeIsUp()]);
    if (arrivals.kind !== 'closed' && !this.#stopped.aborted) await this.#timeIsUp();
  }

  /** Resolves at the end of the stage, or when it is stopped early. */
  #timeIsUp(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, this.#to - performance.now()));
      const now = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopped.aborted) now();
      else this.#stopped.addEventListener('abort', now, { once: true });
    });
  }

  #send(intended: number, traced: TracedRequest | undefined): Promise<number> {
    return new Promise((resolve) => {
      if (this.#inFlight.size < this.#options.maxInFlight) this.#begin(intended, traced, resolve);
      else this.#waiting.push(() => this.#begin(intended, traced, resolve));
    });
  }

  #begin(intended: number, traced: TracedRequest | undefined, ended: (backOffMs: number) => void): void {
    const { prompts, requestOptions, maxRequests } = this.#options;
    if (this.#measures.begun >= maxRequests) {
      this.#full.abort();
      ended(0);
      return;
    }
    const request = new TimedRequest(
      {
        client: this.#client,
        measures: this.#measures,
        now: () => performance.now(),
        stream: requestOptions.stream,
        window: this.#window,
        ended: (one, backOffMs) => this.#ended(one, backOffMs),
      },
      intended,
    );
    this.#inFlight.set(request, ended);
    request.start(requestOf(prompts(traced), requestOptions));
  }

  #ended(request: TimedRequest, backOffMs: number): void {
    const ended = this.#inFlight.get(request);
    this.#inFlight.delete(request);
    this.#waiting.shift()?.();
    ended?.(backOffMs);
  }

  /** Waits for pending answers, up to `drainSeconds` and not after the user has stopped the test. */
  async #drain(): Promise<void> {
    const deadline = performance.now() + this.#options.drainSeconds * 1000;
    while (this.#inFlight.size > 0 && performance.now() < deadline && !this.#byUser.aborted)
      await new Promise((resolve) => setTimeout(resolve, 20));
    // Queued requests must not take the slots that become free now.
    while (this.#waiting.shift());
    for (const request of this.#inFlight.keys()) request.giveUp('interrupted');
    this.#inFlight.clear();
  }

  #sweep(watch: (view: StageView) => void): void {
    const now = performance.now();
    const overdue = now - this.#options.timeoutMs;
    for (const request of this.#inFlight.keys()) if (request.intended < overdue) request.giveUp('timeout');
    if (now < this.#to) this.#flightMs += this.#inFlight.size * (now - this.#lastSweep);
    this.#lastSweep = now;
    watch({
      elapsedSeconds: (now - this.#from) / 1000,
      inFlight: this.#inFlight.size,
      measures: this.#measures,
    });
  }

  #figures(until: number, client: ClientCost): Omit<StageResult, 'connections_opened' | 'reconnects'> {
    const { arrivals } = this.#options;
    const measures = this.#measures;
    const seconds = (until - this.#from) / 1000;
    const measured = Math.max(1e-3, (until - this.#rampTo) / 1000);
    const closed = arrivals.kind === 'closed';
    return {
      users: closed ? arrivals.users : Math.round(this.#flightMs / (seconds * 1000)),
      loop: closed ? 'closed' : 'open',
      requests: measures.begun,
      requests_per_second: measures.begun / seconds,
      succeeded: measures.succeeded,
      errors: measures.failed,
      interrupted: measures.interrupted,
      errors_by_kind: measures.errorsByKind(),
      tokens: measures.tokens,
      tokens_per_second: measures.tokensInWindow / measured,
      tokens_source: sourceOf(measures),
      ...measures.percentiles(),
      seconds,
      measured_seconds: measured,
      experts: measures.experts(measured),
      client,
    };
  }
}

function sourceOf({ succeeded, reported }: Measures): StageResult['tokens_source'] {
  if (succeeded === 0) return 'none';
  if (reported === 0) return 'content-chunks';
  return reported === succeeded ? 'usage' : 'mixed';
}

function clientCost(cpu: number, delayMs: number): ClientCost {
  const delay = Math.max(0, delayMs);
  return {
    cpu,
    event_loop_delay_p99_ms: delay,
    starved: cpu > STARVED.cpu || delay > STARVED.delayMs,
  };
}
