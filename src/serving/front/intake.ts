/**
 * Requests that have come in and wait to be served. In each turn of the event loop as many are served as take no longer than
 * what else the turn had to do, and one at least; but none before that is due where a connection was accepted, since a turn
 * accepts one only, and the system resets what waits too long to be accepted. So turns stay short whatever comes at once: answers under way, new
 * connections and `/health` get theirs in between. And how long a request would have to wait is known when it comes: one that
 * would wait too long is refused there and then, which costs a fraction of serving it. (To refuse by the wait and not by the
 * length of the queue, and only what lasts, is CoDel's idea: Nichols and Jacobson, "Controlling Queue Delay", ACM Queue
 * 10(5), 2012.)
 */

/** What waits. */
export interface Arrival {
  /** Bytes of it that are held meanwhile. */
  readonly bytes: number;
  /** Its client has left. */
  readonly gone: boolean;
}

interface Ends<T> {
  serve(arrival: T): void;
  /** @param retryAfter seconds after which to ask again */
  refuse(arrival: T, retryAfter: number): void;
}

/** Nobody waits longer than this, not even in a wave: thousands of clients at once, who are all served. */
const WAVE_MS = 10_000;
const WAVE_REQUESTS = 6_000;
/** Nor longer than this once more have come than a wave has, and there is a queue still: waiting then serves nobody. */
const STANDING_MS = 1_000;
/** A shorter queue is none. */
const TOLERABLE_MS = 100;
const MOST_BYTES = 64 * 1024 * 1024;
const LONGEST_RETRY_S = 30;
/** What serving one is taken to last before any was measured. */
const FIRST_SERVE_MS = 0.5;
/** Requests served in one turn. */
const MOST_A_TURN = 64;
/** A turn in which more came for each that was served says nothing of what serving takes. */
const FEW = 4;
/** How fast means follow: about the last 32 turns count. */
const MEAN_STEP = 1 / 32;

export class Intake<T extends Arrival> {
  readonly #ends: Ends<T>;
  readonly #now: () => number;
  readonly #soon: (then: () => void) => unknown;
  #queue: T[] = [];
  /** Of those in the queue, the first that waits. */
  #first = 0;
  #bytes = 0;
  /** A request has had this turn: the next one has to wait for the next. */
  #taken = false;
  /** A connection was accepted in this turn: more may wait. */
  #knocked = false;
  /** Milliseconds of serving that are due in turns that accept connections. */
  #due = 0;
  /** When the last turn had served its share. */
  #turnEnded = 0;
  /** When one had, that served any, and what came and was served since. */
  #servedTo = 0;
  #came = 0;
  #served = 0;
  #servingSince = 0;
  /** Mean milliseconds of serving one, and from one to the next while there is a queue. */
  #serveMs = FIRST_SERVE_MS;
  #eachMs = FIRST_SERVE_MS;
  /** Requests that have come since there has been a queue. */
  #inWave = 0;

  /**
   * @param now milliseconds that never run backwards
   * @param soon calls back in the next turn, in the order of the calls and with nothing else in between
   */
  constructor(ends: Ends<T>, now: () => number, soon: (then: () => void) => unknown = setImmediate) {
    this.#ends = ends;
    this.#now = now;
    this.#soon = soon;
  }

  /** Milliseconds that the next request would wait. */
  get waitMs(): number {
    return this.#waiting * this.#eachMs;
  }

  /** A connection has been accepted. */
  knock(): void {
    this.#knocked = true;
  }

  /** Serves it now, soon, or not at all. */
  came(arrival: T): void {
    if (!this.#taken) {
      this.#taken = true;
      this.#turnEnded = this.#servedTo = this.#now();
      this.#soon(this.#turn);
      if (!this.#knocked) {
        this.#ends.serve(arrival);
        return;
      }
    }
    this.#came += 1;
    const wait = this.waitMs;
    if (wait > TOLERABLE_MS || this.#inWave > 0) this.#inWave += 1;
    const longest = this.#inWave > WAVE_REQUESTS ? STANDING_MS : WAVE_MS;
    if (wait > longest || this.#bytes + arrival.bytes > MOST_BYTES) {
      this.#ends.refuse(arrival, Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil(wait / 1000))));
      return;
    }
    this.#bytes += arrival.bytes;
    this.#queue.push(arrival);
  }

  get #waiting(): number {
    return this.#queue.length - this.#first;
  }

  /** Served in a call of its own, so that all that follows from it at once is over before the next. */
  readonly #serveNext = (): void => {
    const next = this.#take();
    if (next === null) return;
    if (this.#served === 0) this.#servingSince = this.#now();
    this.#served += 1;
    this.#ends.serve(next);
  };

  /** This turn's share is served. */
  readonly #turn = (): void => {
    const now = this.#now();
    const others = (this.#served > 0 ? this.#servingSince : now) - this.#turnEnded;
    this.#turnEnded = now;
    const waited = this.#due > 0;
    const share = this.#share(others);
    if (this.#served > 0) {
      if (waited || this.#came <= FEW * this.#served) {
        this.#serveMs += ((now - this.#servingSince) / this.#served - this.#serveMs) * MEAN_STEP;
        this.#eachMs += ((now - this.#servedTo) / this.#served - this.#eachMs) * MEAN_STEP;
      }
      this.#servedTo = now;
      this.#came = 0;
      this.#served = 0;
    }
    if (this.#waiting === 0) {
      this.#taken = false;
      this.#inWave = 0;
      this.#eachMs = this.#serveMs;
      return;
    }
    for (let left = Math.min(share, this.#waiting, MOST_A_TURN); left > 0; left -= 1)
      this.#soon(this.#serveNext);
    this.#soon(this.#turn);
  };

  /** How many are served in the next turn. @param others milliseconds of the last one that went to all else */
  #share(others: number): number {
    if (!this.#knocked) {
      this.#due = 0;
      return Math.max(1, this.#served > 0 ? Math.ceil(others / this.#serveMs) : 1);
    }
    this.#knocked = false;
    this.#due += others;
    const share = Math.floor(this.#due / this.#serveMs);
    this.#due -= share * this.#serveMs;
    return share;
  }

  /** The first whose client is still there. */
  #take(): T | null {
    while (this.#first < this.#queue.length) {
      const next = this.#queue[this.#first]!;
      this.#first += 1;
      this.#bytes -= next.bytes;
      if (this.#first * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#first);
        this.#first = 0;
      }
      if (!next.gone) return next;
    }
    return null;
  }
}
