/** Keeps one model loaded at a server: whenever it is found missing, such as after a restart of the server. */
import { describeError } from '../../core/errors.ts';
import type { Health } from './expert.ts';

/** A model at a server that loads it on request. */
export interface Loadable {
  readonly name: string;
  /** Resolves once it is loaded; at once where it is already. Rejects with what the server says. */
  load(signal: AbortSignal): Promise<void>;
}

export class LoadedOnDemand {
  readonly #expert: string;
  readonly #model: Loadable;
  readonly #signal: AbortSignal;
  readonly #log: (line: string) => void;
  #running = false;
  #failure: string | null = null;

  /** @param signal gives loading up */
  constructor(expert: string, model: Loadable, signal: AbortSignal, log: (line: string) => void) {
    this.#expert = expert;
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
    if (failure === null) return { state: 'warming', detail: `model ${this.#model.name} is being loaded` };
    return {
      state: 'down',
      failure: { kind: 'not-loaded', model: this.#model.name, detail: `${failure}; trying again` },
    };
  }

  async #load(): Promise<void> {
    this.#log(`expert '${this.#expert}': loading model ${this.#model.name}`);
    try {
      await this.#model.load(this.#signal);
      this.#failure = null;
      this.#log(`expert '${this.#expert}': model ${this.#model.name} is loaded`);
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failure = describeError(error);
      this.#log(`expert '${this.#expert}': model ${this.#model.name} could not be loaded: ${this.#failure}`);
    }
  }
}
