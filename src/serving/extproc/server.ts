/** The gRPC server that Envoy asks: one exchange a request, health, and an orderly end. */
import { Server } from '@grpc/grpc-js';
import { listenGrpc } from '../../core/grpc-service.ts';
import { Exchange, type ExchangeOptions, type ProcessCall } from './exchange.ts';
import { HealthService } from './health.ts';
import { extProcService, healthService } from './protocol.ts';

const OPTIONS = {
  // Bodies are counted as they come, by the config's own limit.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // An Envoy whose machine is gone says nothing: this finds it, and its leases come back.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
} as const;

/** How often the services' health is looked at. */
const LOOK_EVERY_MS = 1_000;

export class ExtProcServer {
  readonly #server = new Server(OPTIONS);
  readonly #health = new HealthService();
  readonly #open = new Set<Exchange>();
  readonly #options: ExchangeOptions;
  #looking: NodeJS.Timeout | null = null;
  #noneLeft: () => void = () => {};

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#server.addService(extProcService(), { Process: (call: ProcessCall) => this.#serve(call) });
    this.#server.addService(healthService(), this.#health.implementation);
  }

  /** Requests that are decided on or relayed now. */
  get open(): number {
    return this.#open.size;
  }

  /** @returns `host:port` as bound; rejects with the system's error when it cannot be */
  async listen(host: string, port: number): Promise<string> {
    const bound = await listenGrpc(this.#server, host, port);
    this.#look();
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return bound;
  }

  /**
   * Says that it is not ready and takes nothing new; after `graceMs` Envoy goes on alone with what is left, and nothing
   * is cut.
   */
  async close(graceMs: number): Promise<void> {
    if (this.#looking) clearInterval(this.#looking);
    this.#health.close();
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#drained(),
      new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs);
      }),
    ]);
    clearTimeout(timer);
    for (const exchange of this.#open) exchange.leave();
    // Ended streams are told so before the connections go.
    const late = setTimeout(() => this.#server.forceShutdown(), 500);
    await closed;
    clearTimeout(late);
  }

  #serve(call: ProcessCall): void {
    const exchange: Exchange = new Exchange(call, this.#options, () => {
      this.#open.delete(exchange);
      if (this.#open.size === 0) this.#noneLeft();
    });
    this.#open.add(exchange);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#noneLeft = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** By what is known of the experts: nobody is asked for it. */
  #look(): void {
    const { readiness, gateway } = this.#options.current().context;
    const able = [...gateway.fleet.groups.values()].some(({ replicas }) =>
      replicas.some((replica) => replica.available),
    );
    this.#health.set(able && !readiness.draining);
  }
}
