/**
 * Keeps one model loaded at a server in explicit mode: at the start, and again whenever it is found missing, such as
 * after a restart of the server.
 */
import { describeError } from '../../../core/errors.ts';
import type { Health } from '../expert.ts';
import { load } from './repository.ts';
import type { TritonServer } from './server.ts';

export class LoadedOnDemand {
  readonly #expert: string;
  readonly #server: TritonServer;
  readonly #model: string;
  readonly #signal: AbortSignal;
  readonly #log: (line: string) => void;
  #running = false;
  #failure: string | null = null;

  /** @param signal gives loading up */
  constructor(
    expert: string,
    server: TritonServer,
    model: string,
    signal: AbortSignal,
    log: (line: string) => void,
  ) {
    this.#expert = expert;
    this.#server = server;
    this.#model = model;
    this.#signal = signal;
    this.#log = log;
  }

  /** Begins to load, unless that is under way. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#load().finally(() => {
      this.#running = false;
    });
  }

  /** For a model that was found missing: says why, and begins anew. */
  health(): Health {
    const failure = this.#failure;
    this.start();
    if (failure === null) return { state: 'warming', detail: `model ${this.#model} is being loaded` };
    return {
      state: 'down',
      failure: { kind: 'not-loaded', model: this.#model, detail: `${failure}; trying again` },
    };
  }

  async #load(): Promise<void> {
    this.#log(`expert '${this.#expert}': loading model ${this.#model}`);
    try {
      await load(this.#server, this.#model, { signal: this.#signal });
      this.#failure = null;
      this.#log(`expert '${this.#expert}': model ${this.#model} is loaded`);
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failure = describeError(error);
      this.#log(`expert '${this.#expert}': model ${this.#model} could not be loaded: ${this.#failure}`);
    }
  }
}
