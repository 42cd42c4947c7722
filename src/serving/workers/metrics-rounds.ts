/**
 * The metrics page of all workers. What a worker had counted when it was last asked stays on the page when it ends: a sum
 * that fell would look to Prometheus like a restart, and all that is left like new requests.
 */
import { AggregatorRegistry } from 'prom-client';
import { Rounds } from './rounds.ts';

/** Of one worker, its `registry.getMetricsAsJSON()`. */
type Own = readonly object[];

/** Those that never fall. What else is on the page tells how things are now. */
const KEPT: ReadonlySet<unknown> = new Set(['counter', 'histogram']);

export class MetricsRounds {
  readonly #rounds = new Rounds<{ readonly worker: number; readonly own: Own }, string>((told) =>
    this.#page(told),
  );
  /** What each worker told last. */
  readonly #last = new Map<number, Own>();
  /** What those that have ended told last, added up. */
  #ended: Promise<Own> = Promise.resolve([]);

  /**
   * @param ask asks a worker for its own in the round of this id
   * @returns null where a worker did not answer in time
   */
  collect(workers: readonly number[], ask: (worker: number, id: number) => void): Promise<string | null> {
    return this.#rounds.collect(workers, ask);
  }

  told(worker: number, id: number, own: Own): void {
    // Before the round is over, which reads it.
    if (this.#rounds.awaits(worker, id)) this.#last.set(worker, own);
    this.#rounds.told(worker, id, { worker, own });
  }

  gone(worker: number): void {
    const last = this.#last.get(worker)?.filter((metric) => KEPT.has((metric as { type?: unknown }).type));
    this.#last.delete(worker);
    if (last) this.#ended = this.#ended.then((ended) => addedUp([ended, last]).getMetricsAsJSON());
    this.#rounds.gone(worker);
  }

  async #page(told: readonly { readonly worker: number; readonly own: Own }[]): Promise<string> {
    // Of a worker that has ended since it told, the sum of the ended has it.
    const running = told.filter(({ worker }) => this.#last.has(worker)).map(({ own }) => own);
    const ended = await this.#ended;
    return addedUp([...running, ended]).metrics();
  }
}

function addedUp(all: readonly Own[]): ReturnType<typeof AggregatorRegistry.aggregate> {
  return AggregatorRegistry.aggregate([...all] as object[]);
}
