/**
 * What of a server's busy time each of its requests took, by processor sharing: with n requests at once each is charged
 * 1/n of every moment. So the shares of all requests add up to the time that the server was busy, and the time without a
 * request is nobody's. The time is passed in, in milliseconds.
 *
 * A request's share is ∫ dt / n(t) over its stay: the way of one clock, which runs the slower the more are there, between
 * its beginning and its end (virtual time, as in Demers, Keshav and Shenker 1989).
 */
export class BusyClock {
  #present = 0;
  #at = 0;
  #virtualMs = 0;
  #busyMs = 0;

  /** So many requests more, or less when negative, are there from now on. */
  change(by: number, now: number): void {
    this.#advance(now);
    this.#present = Math.max(0, this.#present + by);
  }

  /** Milliseconds that a request which stayed all the time would have been charged. */
  virtual(now: number): number {
    this.#advance(now);
    return this.#virtualMs;
  }

  /** Milliseconds with a request. */
  busy(now: number): number {
    this.#advance(now);
    return this.#busyMs;
  }

  #advance(now: number): void {
    const passed = now - this.#at;
    this.#at = now;
    if (this.#present === 0 || passed <= 0) return;
    this.#busyMs += passed;
    this.#virtualMs += passed / this.#present;
  }
}
