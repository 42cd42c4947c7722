/** Whether the router can serve: it is not shutting down and at least one expert is ready. */
import { describeError } from '../core/errors.ts';
import type { Expert, Health } from '../experts/expert.ts';

const CHECK_TIMEOUT_MS = 2_000;

export interface ReadyState {
  readonly ready: boolean;
  readonly status: 'ready' | 'draining' | 'no expert is ready';
  readonly experts: Readonly<Record<string, Health>>;
}

export class Readiness {
  readonly #experts: readonly Expert[];
  #draining = false;

  constructor(experts: readonly Expert[]) {
    this.#experts = experts;
  }

  /** From now on not ready, so that a load balancer stops sending. */
  drain(): void {
    this.#draining = true;
  }

  async check(): Promise<ReadyState> {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    const states = await Promise.all(
      this.#experts.map(async (expert): Promise<[string, Health]> => {
        try {
          return [expert.id, await expert.health(signal)];
        } catch (error) {
          return [expert.id, { state: 'down', detail: describeError(error) }];
        }
      }),
    );
    const anyReady = states.some(([, health]) => health.state === 'ready');
    const status = this.#draining ? 'draining' : anyReady ? 'ready' : 'no expert is ready';
    return { ready: status === 'ready', status, experts: Object.fromEntries(states) };
  }
}
