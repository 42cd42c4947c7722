/**
 * What is under way now, in no order. A `Set` whose members come and go outgrows its table again and again, and in V8 a
 * table that was outgrown keeps the members of that moment alive until the next full garbage collection: of every request
 * a part would move to the old generation.
 */
export class Roster<T> {
  readonly #seats: Seat<T>[] = [];

  get size(): number {
    return this.#seats.length;
  }

  join(one: T): Seat<T> {
    const seat = { one, at: this.#seats.length };
    this.#seats.push(seat);
    return seat;
  }

  /** @returns whether it was still there */
  leave(seat: Seat<T>): boolean {
    if (seat.at < 0) return false;
    const last = this.#seats.pop()!;
    if (last !== seat) {
      last.at = seat.at;
      this.#seats[seat.at] = last;
    }
    seat.at = -1;
    return true;
  }

  /** Those that are there now, whoever leaves meanwhile. */
  members(): readonly T[] {
    return this.#seats.map(({ one }) => one);
  }
}

/** A member's place; harmless to keep. */
export interface Seat<T> {
  readonly one: T;
  /** Negative once it has left. */
  at: number;
}
