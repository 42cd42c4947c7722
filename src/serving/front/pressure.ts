/**
 * Whether requests come faster than this process can serve them, by what they wait: in a turn of the event loop behind
 * others, and before their connection was accepted. A wait is nothing bad, a lasting one is: while it lasts, what has
 * waited too long is refused at once, which costs a fraction of serving it, and the rest is served in time. (The idea is
 * CoDel's: Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012.)
 */

/** How often the length of turns is looked at. */
export const PRESSURE_EVERY_MS = 20;
/** A wait that lasts so long is pressure. Until then it is a wave, such as thousands of clients at once, and is served. */
const PATIENCE_MS = 5_000;
/** It is over after this long without a long wait. */
const CALM_MS = 2_000;
/** In a turn that has taken longer, what still comes is refused while pressure lasts. */
const TURN_MS = 40;
/** Turns are late on a busy machine too. A process that is short of time itself has none left between its turns. */
const BUSY = 0.95;
/** A longer wait to be accepted is a long one. */
const DOOR_MS = 50;
/**
 * What was accepted late is refused in a share that grows by this at every look while the wait is long, and falls
 * again: who is accepted has always waited, so refusing all that waited would serve nobody.
 */
const SHARE_STEP = 0.02;
const SHARE_MOST = 0.9;
/** A client is told to come back when the pressure may have ended: it has lasted so long, and may as long again. */
const RETRY_S = { least: 1, most: 30 } as const;

/** One kind of wait, and whether it lasts. Times are milliseconds of a clock that never runs backwards. */
class Gauge {
  readonly #tolerated: number;
  #lateSince: number | null = null;
  #lateAt = 0;
  /** When the pressure began; null for none. */
  since: number | null = null;

  constructor(tolerated: number) {
    this.#tolerated = tolerated;
  }

  note(waited: number, now: number): void {
    if (waited > this.#tolerated) {
      this.#lateSince ??= now;
      this.#lateAt = now;
      if (now - this.#lateSince >= PATIENCE_MS) this.since ??= this.#lateSince;
    } else {
      this.#lateSince = null;
      if (this.since !== null && now - this.#lateAt >= CALM_MS) this.since = null;
    }
  }
}

export class Pressure {
  readonly #turns = new Gauge(TURN_MS);
  readonly #door = new Gauge(DOOR_MS);
  readonly #now: () => number;
  readonly #idleMs: () => number;
  #idleBefore: number;
  /** When the present turn of the event loop began, if it is a long one. */
  #turnBegan: number;
  #due: number;
  /** Whether there is any pressure: all that a request asks otherwise. */
  #on = false;
  /** The last wait at the door. */
  #waited = 0;
  /** Share of late connections whose first request is refused, and what of it is still to be taken. */
  #share = 0;
  #owed = 0;
  readonly #refused = new WeakSet<object>();

  /** @param now milliseconds that never run backwards @param idleMs how many the event loop has had nothing to do so far */
  constructor(now: () => number, idleMs: () => number) {
    this.#now = now;
    this.#idleMs = idleMs;
    this.#idleBefore = idleMs();
    this.#turnBegan = now();
    this.#due = this.#turnBegan;
  }

  /** To be called by a timer, every `PRESSURE_EVERY_MS` if the loop allows: timers run when a turn begins. */
  look(): void {
    const now = this.#now();
    const idle = this.#idleMs();
    const busy = idle - this.#idleBefore < (now - this.#turnBegan) * (1 - BUSY);
    this.#idleBefore = idle;
    this.#turns.note(busy ? now - this.#due : 0, now);
    this.#turnBegan = now;
    this.#due = now + PRESSURE_EVERY_MS;
    const long = this.#door.since !== null && this.#waited > DOOR_MS;
    this.#share = Math.min(SHARE_MOST, Math.max(0, this.#share + (long ? SHARE_STEP : -SHARE_STEP)));
    this.#waited = 0;
    this.#on = this.#turns.since !== null || this.#door.since !== null;
  }

  /** A connection is accepted, after so many milliseconds. */
  came(connection: object, waited: number): void {
    this.#door.note(waited, this.#now());
    this.#waited = waited;
    this.#owed += this.#share;
    if (this.#owed < 1) return;
    this.#owed -= 1;
    this.#refused.add(connection);
  }

  /**
   * Whether the request that is read now is one too many.
   * @param connection the first request of one that came late may be refused for that
   * @returns seconds after which to ask again; null to serve it
   */
  refusal(connection: object): number | null {
    if (!this.#on) return null;
    const now = this.#now();
    const lateInTurn = this.#turns.since !== null && now - this.#turnBegan > TURN_MS;
    if (!this.#refused.delete(connection) && !lateInTurn) return null;
    const since = Math.min(this.#turns.since ?? now, this.#door.since ?? now);
    return Math.min(RETRY_S.most, Math.max(RETRY_S.least, Math.ceil((now - since) / 1000)));
  }
}
