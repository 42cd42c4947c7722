/**
 * The running generations of one expert that makes its own text: pause and resume, cancel, close, and the promise
 * that a cancelled reader hears nothing more. It knows nothing of how the text is made.
 */
import { describeError, RouterError } from '../../core/errors.ts';
import type { ExpertRequest, Generation, ReplySink } from './expert.ts';
import { openReply, type Reply, type ReplyFacts } from './reply.ts';

/** What one generation works with. `signal` fires when the reader has gone or the expert closes. */
export interface Work {
  readonly reply: Reply;
  readonly signal: AbortSignal;
  /** Resolves when the reader has caught up; rejects when the work is to be given up. */
  drained(): Promise<void>;
}

export class RunningGenerations {
  readonly #live = new Set<{ shutDown(): void; finished: Promise<void> }>();
  #closed = false;

  get count(): number {
    return this.#live.size;
  }

  /** Runs `work` in a later turn of the event loop, so that the caller has its `Generation` before any sink call. */
  start(
    request: ExpertRequest,
    sink: ReplySink,
    facts: ReplyFacts,
    work: (work: Work) => Promise<void>,
  ): Generation {
    const abort = new AbortController();
    const gate = new Gate();
    const guarded = guard(sink, gate);
    const run = async (): Promise<void> => {
      await new Promise(setImmediate);
      if (this.#closed) throw shuttingDown();
      abort.signal.throwIfAborted();
      const reply = openReply(request, guarded, facts);
      await work({ reply, signal: abort.signal, drained: () => gate.wait(abort.signal) });
    };
    const finished = run().catch((error: unknown) => {
      guarded.fail(
        error instanceof RouterError
          ? error
          : new RouterError('expert_failed', `The expert failed: ${describeError(error)}`, { cause: error }),
      );
    });
    const entry = {
      finished: finished.finally(() => this.#live.delete(entry)),
      shutDown: () => {
        guarded.fail(shuttingDown());
        abort.abort();
      },
    };
    this.#live.add(entry);
    return {
      resume: () => gate.open(),
      cancel: () => {
        guarded.mute();
        abort.abort();
      },
    };
  }

  /** Ends everything that runs; whatever is started later fails. Resolves when the last one has let go. */
  async close(): Promise<void> {
    this.#closed = true;
    const live = [...this.#live];
    for (const entry of live) entry.shutDown();
    await Promise.all(live.map((entry) => entry.finished));
  }
}

function shuttingDown(): RouterError {
  return new RouterError('shutting_down', 'The expert is shutting down.');
}

/** Closed when the reader asked for a pause, opened when it resumes. */
class Gate {
  #waiting: (() => void)[] = [];
  #closed = false;

  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#closed) return;
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(() => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      });
    });
  }
}

/** A sink that falls silent after its end, and remembers when the reader asked for a pause. */
function guard(sink: ReplySink, gate: Gate): ReplySink & { mute(): void } {
  let over = false;
  const last = (call: () => void): void => {
    if (over) return;
    over = true;
    call();
  };
  return {
    head: (status, headers) => {
      if (!over) sink.head(status, headers);
    },
    data: (chunk) => {
      if (over) return true;
      const more = sink.data(chunk);
      if (!more) gate.close();
      return more;
    },
    end: (outcome) => last(() => sink.end(outcome)),
    fail: (error) => last(() => sink.fail(error)),
    mute: () => last(() => undefined),
  };
}
