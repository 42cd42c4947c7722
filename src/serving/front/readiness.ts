/** Whether the router can serve: it is not shutting down and at least one expert is ready. */
import type { Health } from '../experts/expert.ts';
import type { Fleet } from '../fleet/fleet.ts';

export interface ReadyState {
  readonly ready: boolean;
  readonly status: 'ready' | 'draining' | 'no expert is ready';
  readonly experts: Readonly<Record<string, Health>>;
}

export class Readiness {
  readonly #fleet: Fleet;
  #draining = false;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** From now on not ready, so that a load balancer stops sending. */
  drain(): void {
    this.#draining = true;
  }

  async check(): Promise<ReadyState> {
    const states = await this.#fleet.check();
    const anyReady = [...states.values()].some((health) => health.state === 'ready');
    const status = this.#draining ? 'draining' : anyReady ? 'ready' : 'no expert is ready';
    return { ready: status === 'ready', status, experts: Object.fromEntries(states) };
  }
}
