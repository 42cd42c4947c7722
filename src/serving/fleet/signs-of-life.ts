/**
 * What is heard of one replica, and what its silence means. Silence raises doubt, and a small request finds out: if that
 * meets silence as well, the replica is refuted where nothing was under way, and suspected where something was, since it
 * may merely be busy. What is heard of it ends all of that.
 */
import { Roster, type Seat } from '../../core/roster.ts';
import type { Health } from '../experts/expert.ts';

/** A request whose answer has not begun. */
export interface Waiting {
  /** A stream has a deadline for its first token; a whole answer may take long without a sign. */
  readonly stream: boolean;
  /** Called when the replica is found to hang, or, for a whole answer, when that is suspected. */
  onHang(): void;
}

/** A small request, as of when it was sent. */
export interface Question {
  readonly signs: number;
  /** Nothing was under way that it could have had to wait for. */
  readonly alone: boolean;
}

/** Of the time for a first token, what a whole answer has before a small request is sent; the rest is the small one's. */
export const OVERDUE_SHARE = 0.5;
/** A request of so many tokens is expected to be answered in time by any server. */
const SHORT_TOKENS = 2_048;
/** So many requests, and nothing heard for a whole deadline: it hangs. */
const HUNG_REQUESTS = 3;

export class SignsOfLife {
  readonly #waiting = new Roster<Waiting>();
  #heard = 0;
  /** Requests whose answer has begun. */
  #answering = 0;
  /** The longest request that had its first token in time. */
  #longest = SHORT_TOKENS;
  #doubted = false;
  #suspected = false;
  #refuted: Health | null = null;

  /** Parts of answers heard so far. */
  get count(): number {
    return this.#heard;
  }

  heard(): void {
    this.#heard += 1;
  }

  /** An answer has begun. @param tokens of its request */
  began(tokens: number): void {
    this.#answering += 1;
    this.#heard += 1;
    this.#longest = Math.max(this.#longest, tokens);
    this.believe();
  }

  /** An answer that had begun is over. */
  stopped(): void {
    this.#answering -= 1;
  }

  wait(waiting: Waiting): Seat<Waiting> {
    return this.#waiting.join(waiting);
  }

  leave(seat: Seat<Waiting>): void {
    this.#waiting.leave(seat);
  }

  /** Whoever is being answered meanwhile shows that the server works. @param count of those heard before */
  isAlive(count: number): boolean {
    return this.#heard !== count || this.#answering > 0;
  }

  /** Whether a request of so many tokens has had its first token in time before. */
  isShort(tokens: number): boolean {
    return tokens <= this.#longest;
  }

  /** It is there: whatever was thought of it is over. */
  believe(): void {
    this.#doubted = false;
    this.#suspected = false;
    this.#refuted = null;
  }

  /** @returns whether that is news */
  doubt(): boolean {
    if (this.#doubted) return false;
    this.#doubted = true;
    return true;
  }

  get isDoubted(): boolean {
    return this.#doubted;
  }

  /** Others go before it, as long as there are any. */
  get isSuspected(): boolean {
    return this.#suspected;
  }

  /** What a small request found, against what its server says of itself. */
  get refuted(): Health | null {
    return this.#refuted;
  }

  forget(): void {
    this.#refuted = null;
  }

  /**
   * A small request was not answered.
   * @param room whether the engine itself told that it has room for more than is under way
   * @returns whether that says anything: somebody may have been answered meanwhile
   */
  unanswered(health: Health, question: Question, room: boolean): boolean {
    if (!this.#doubted || this.isAlive(question.signs)) return false;
    if (question.alone) this.#refuted = health;
    else if (room || this.#waiting.size >= HUNG_REQUESTS) this.#suspected = true;
    else return false;
    return true;
  }

  /** Whether so many streams wait, now that one more had no first token in time, that it hangs. */
  get hangs(): boolean {
    const streams = this.#waiting.members().filter(({ stream }) => stream);
    return streams.length + 1 >= HUNG_REQUESTS;
  }

  /** Whoever waits is told that it hangs. */
  tell(): void {
    for (const waiting of this.#waiting.members()) waiting.onHang();
  }

  /** Whoever waits for a whole answer is told that it may hang. */
  tellSuspicion(): void {
    for (const waiting of this.#waiting.members()) if (!waiting.stream) waiting.onHang();
  }
}
