/**
 * Moves of conversations: answered by another expert than the one that has them cached. Those of ten seconds are one event,
 * so that many of them do not drown what happens seldom.
 */
import type { BoardEvent, Moved } from './wire.ts';

/** Periods begin at whole multiples of it, so that those of all processes are the same. */
const PERIOD_MS = 10_000;

export class Moves {
  /** By the end of their period. */
  readonly #periods = new Map<number, Moved>();

  /** @param reread tokens of the prompt that were not cached where it went; null where its engine does not tell */
  add(at: number, from: string, to: string, reread: number | null): void {
    const end = (Math.floor(at / PERIOD_MS) + 1) * PERIOD_MS;
    const move: Moved = { count: 1, from, to, reread };
    const before = this.#periods.get(end);
    this.#periods.set(end, before ? together(before, move) : move);
  }

  /** Of the periods that are over, each once. */
  over(now: number): readonly BoardEvent[] {
    const events: BoardEvent[] = [];
    for (const [at, moved] of this.#periods) {
      if (at > now) continue;
      this.#periods.delete(at);
      events.push({ at, kind: 'moved', what: moved.to ?? '', moved });
    }
    return events;
  }
}

export function together(a: Moved, b: Moved): Moved {
  return {
    count: a.count + b.count,
    from: a.from === b.from ? a.from : null,
    to: a.to === b.to ? a.to : null,
    reread: a.reread === null && b.reread === null ? null : (a.reread ?? 0) + (b.reread ?? 0),
  };
}
