/** The dashboard's event stream: one frame a second for all who watch at this process, made only while somebody does. */
import { RouterError } from '../../core/errors.ts';
import type { ClientResponse } from '../front/exchange.ts';
import type { Frame, History } from './wire.ts';

const EVERY_MS = 1_000;
/** Of one process: enough for a room full of screens. */
const MOST_WATCHERS = 64;
/** One that has read nothing for so many frames is let go; its page connects again. */
const MOST_UNREAD = 30;
/** How soon a page connects again after its stream ends, in milliseconds. */
const AGAIN_MS = 1_000;

interface Watcher {
  readonly response: ClientResponse;
  /** False once its session has ended. */
  mayWatch(): boolean;
}

export interface WatchParts {
  history(): Promise<History>;
  /** What happened after this second. */
  frame(since: number): Promise<Frame>;
  /** Seconds since 1970. */
  now(): number;
  /** Whether the server begins nothing new: its streams end too. */
  draining(): boolean;
}

export class Watch {
  readonly #parts: WatchParts;
  /** With the number of frames that wait to be read. */
  readonly #watchers = new Map<Watcher, number>();
  #timer: NodeJS.Timeout | null = null;
  #since = 0;
  #making = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** @throws RouterError `overloaded` */
  async add(watcher: Watcher): Promise<void> {
    if (this.#watchers.size >= MOST_WATCHERS)
      throw new RouterError('overloaded', `${MOST_WATCHERS} dashboards are open here already; close one.`, {
        retryAfter: 5,
      });
    const { response } = watcher;
    this.#watchers.set(watcher, 0);
    response.on('drain', () => this.#watchers.has(watcher) && this.#watchers.set(watcher, 0));
    response.once('close', () => this.#remove(watcher));
    const history = await this.#parts.history().catch((error: unknown) => {
      this.#remove(watcher);
      throw error;
    });
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${AGAIN_MS}\nevent: history\ndata: ${JSON.stringify(history)}\n\n`);
    this.#timer ??= this.#start();
  }

  #start(): NodeJS.Timeout {
    this.#since = Math.floor(this.#parts.now()) - 2;
    void this.#send();
    return setInterval(() => void this.#send(), EVERY_MS).unref();
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** A frame that cannot be made is made up for by the next, which goes back further. */
  async #send(): Promise<void> {
    if (this.#making) return;
    this.#making = true;
    try {
      this.#since = Math.min(this.#since, Math.floor(this.#parts.now())); // the clock may have been set back
      const frame = await this.#parts.frame(this.#since);
      this.#since = frame.seconds.at(-1)?.at ?? this.#since;
      this.#write(`data: ${JSON.stringify(frame)}\n\n`);
    } catch {
      this.#write(': a process did not answer in time\n\n');
    } finally {
      this.#making = false;
    }
  }

  #write(text: string): void {
    for (const [watcher, unread] of this.#watchers) {
      const { response, mayWatch } = watcher;
      if (!response.headersSent) continue; // its history is on its way
      if (this.#parts.draining() || !mayWatch()) response.end();
      else if (unread > MOST_UNREAD) response.destroy();
      else if (!response.write(text)) this.#watchers.set(watcher, unread + 1);
    }
  }
}
