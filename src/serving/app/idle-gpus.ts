/** Tells the time of GPUs that nobody took: of servers that were there, what was left beside the shares of requests. */
import type { Fleet } from '../fleet/fleet.ts';
import type { Replica } from '../fleet/replica.ts';
import { gpuSecondsOf, gpuUsdOf, type Price } from '../limits/price.ts';
import type { AuditedIdle } from '../records/audit.ts';

const EVERY_MS = 60_000;

interface IdleParts {
  fleet(): Fleet;
  prices(): ReadonlyMap<string, Price>;
  /** Milliseconds that never run backwards. */
  now(): number;
  /** ISO 8601. */
  at(): string;
  write(entry: AuditedIdle): void;
}

interface Seen {
  readonly at: number;
  readonly busyMs: number;
}

export class IdleGpus {
  readonly #parts: IdleParts;
  /** As of the last look, of servers that were there then. */
  #seen = new Map<Replica['clock'], Seen>();
  readonly #timer: NodeJS.Timeout;

  constructor(parts: IdleParts) {
    this.#parts = parts;
    this.look();
    this.#timer = setInterval(() => this.look(), EVERY_MS).unref();
  }

  /** Tells what has been idle since the last look. Called by its own timer. */
  look(): void {
    const { now, fleet, prices } = this.#parts;
    const at = now();
    const seen = new Map<Replica['clock'], Seen>();
    for (const [expert, { replicas }] of fleet().groups) {
      const price = prices().get(expert);
      if (price?.per_gpu_hour === undefined) continue;
      let idleMs = 0;
      for (const { clock, absent } of replicas) {
        // A server that several experts share is told of once, and one that does not run costs nothing.
        if (absent || seen.has(clock)) continue;
        const before = this.#seen.get(clock);
        const busyMs = clock.busy(at);
        seen.set(clock, { at, busyMs });
        if (before) idleMs += Math.max(0, at - before.at - (busyMs - before.busyMs));
      }
      this.#tell(expert, idleMs, price);
    }
    this.#seen = seen;
  }

  /** Tells the rest. */
  close(): void {
    clearInterval(this.#timer);
    this.look();
  }

  #tell(expert: string, idleMs: number, price: Price): void {
    if (idleMs <= 0) return;
    const seconds = gpuSecondsOf(idleMs / 1000, price)!;
    const { write, at } = this.#parts;
    write({ event: 'idle', at: at(), expert, gpu_seconds: seconds, usd: gpuUsdOf(seconds, price) });
  }
}
