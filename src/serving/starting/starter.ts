/**
 * Starts and stops the servers of experts that say how (`start`, `stop`), for all processes of a gateway: they tell what
 * they see, and are told whom they may ask. One process has it.
 */
import type { Keeping, Signals } from '../fleet/keeping.ts';
import { KeptExpert, type KeptParts, type StartSpec } from './kept-expert.ts';

export interface StarterParts extends KeptParts {
  /** Tells all processes how an expert is kept. */
  tell(expert: string, keeping: Keeping): void;
  /** What this process itself sees; absent where only others serve. */
  own?(): Signals;
}

const LOOK_EVERY_MS = 100;
/** This process, among those that tell. */
const OWN = 0;

export class Starter {
  readonly #parts: StarterParts;
  readonly #kept = new Map<string, KeptExpert>();
  /** Of experts that a reload has taken away. */
  readonly #leaving = new Set<Promise<void>>();
  /** What each process last told. */
  readonly #told = new Map<number, Signals>();
  /** Prompts that had come at the last look, by process and expert. */
  readonly #seen = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: StarterParts) {
    this.#parts = parts;
  }

  /** These are its experts from now on; what is known of those that stay is kept. */
  keep(specs: readonly StartSpec[]): void {
    for (const [id, kept] of this.#kept) {
      if (specs.some((spec) => spec.id === id)) continue;
      this.#kept.delete(id);
      const closed = kept.close().finally(() => this.#leaving.delete(closed));
      this.#leaving.add(closed);
    }
    for (const spec of specs) {
      const known = this.#kept.get(spec.id);
      if (known) known.spec = spec;
      else this.#kept.set(spec.id, new KeptExpert(spec, this.#parts));
    }
    if (this.#kept.size > 0) this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** What a process sees. */
  heard(from: number, signals: Signals): void {
    this.#told.set(from, signals);
  }

  /** A process is no more. */
  gone(from: number): void {
    this.#told.delete(from);
    for (const id of this.#kept.keys()) this.#seen.delete(keyOf(from, id));
  }

  /** Called by its own timer. */
  look(): void {
    const { own } = this.#parts;
    if (own) this.heard(OWN, own());
    for (const [id, kept] of this.#kept) {
      const signals = [...this.#told.values()].flatMap((all) => all[id] ?? []);
      if (signals.length === 0) continue; // nobody has looked at it yet
      kept.look(signals, this.#arrived(id));
      const { keeping } = kept;
      if (signals.some((one) => one.keeping !== keeping.state)) this.#parts.tell(id, keeping);
    }
  }

  /** Whether it has experts to start: `close` may then take its time. */
  get busy(): boolean {
    return this.#kept.size > 0;
  }

  /** Asks servers that are processes of ours to end, for who cannot wait. */
  endServers(): void {
    for (const kept of this.#kept.values()) kept.endServer();
  }

  /** Starts and stops nothing any more. @param graceMs milliseconds that commands and servers of ours have to end */
  async close(graceMs: number): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      late = setTimeout(() => resolve('late'), graceMs);
    });
    const all = Promise.all([...this.#leaving, ...Array.from(this.#kept.values(), (kept) => kept.close())]);
    if ((await Promise.race([all, patience])) === 'late')
      this.#parts.log(
        'A command of an expert, or a server that it started, has not ended and is left alone.',
      );
    clearTimeout(late);
  }

  #arrived(id: string): boolean {
    let any = false;
    for (const [from, all] of this.#told) {
      const arrivals = all[id]?.arrivals ?? 0;
      const key = keyOf(from, id);
      any ||= arrivals > (this.#seen.get(key) ?? 0);
      this.#seen.set(key, arrivals);
    }
    return any;
  }
}

const keyOf = (from: number, id: string): string => `${from} ${id}`;

export type { StartSpec };
