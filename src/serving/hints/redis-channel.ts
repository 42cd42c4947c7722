/** Hints through Redis: published and forgotten. A Redis that is slow or away costs nothing but the hints. */
import { Redis } from 'ioredis';
import { describeError } from '../../core/errors.ts';
import type { HintChannel } from './hints.ts';

const CHANNEL = 'expert-router:hints';
const TIMEOUT_MS = 1_000;
/** A connection on which nothing has come for so long is given up: its other end may be gone without a word. */
const SILENCE_MS = 5_000;

export class RedisChannel implements HintChannel {
  onMessage: (text: string) => void = () => {};
  readonly #publisher: Redis;
  /** A connection that subscribes can do nothing else. */
  readonly #subscriber: Redis;
  readonly #log: (line: string) => void;
  #busy = false;
  #away = false;

  constructor(url: string, log: (line: string) => void) {
    this.#log = log;
    const options = {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      retryStrategy: (tries: number) => Math.min(100 * 2 ** Math.min(tries, 6), 5_000),
    };
    this.#publisher = new Redis(url, { ...options, commandTimeout: TIMEOUT_MS });
    this.#subscriber = new Redis(url, { ...options, autoResubscribe: false });
    for (const one of [this.#publisher, this.#subscriber]) one.on('error', (error) => this.#failed(error));
    this.#subscriber.on('ready', () => {
      this.#subscriber.subscribe(CHANNEL).catch((error: unknown) => this.#failed(error));
    });
    this.#subscriber.on('message', (_, text) => this.onMessage(text));
  }

  publish(text: string): void {
    // What is only listened to would not be missed.
    if (this.#subscriber.status === 'ready') this.#subscriber.ping().catch(() => {});
    if (this.#busy || this.#publisher.status !== 'ready') return;
    this.#busy = true;
    this.#publisher
      .publish(CHANNEL, text)
      .then(() => {
        this.#away = false;
      })
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#busy = false;
      });
  }

  close(): void {
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  #failed(error: unknown): void {
    if (!this.#away)
      this.#log(`hints: Redis does not answer, so gateways tell each other nothing: ${describeError(error)}`);
    this.#away = true;
  }
}
