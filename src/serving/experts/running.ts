/**
 * The running generations of an expert that writes typed replies: pause and resume, cancel, close, and silence after a
 * cancel.
 */
import { describeError, RouterError } from '../../core/errors.ts';
import type { Ask } from '../dialects/ask.ts';
import { brokenOff, type Failure, ToldFailure } from '../reply/failure.ts';
import { type AnswerSink, type Generation, NO_USAGE, type Reply, type ReplyMeta } from '../reply/reply.ts';
import { ContentfulReply } from './contentful-reply.ts';

/** What a generation works with. `signal` fires when the client has left or the expert closes. */
export interface Work {
  readonly reply: Reply;
  readonly signal: AbortSignal;
  /** Resolves when the sink has room again; rejects when the generation is cancelled. */
  drained(): Promise<void>;
  /** Says to the client that a field of the request counts for nothing; to be called before any content. */
  drop(field: string): void;
}

export class RunningGenerations {
  readonly #expert: string;
  readonly #live = new Set<{ shutDown(): void; finished: Promise<void> }>();
  #closed = false;

  constructor(expert: string) {
    this.#expert = expert;
  }

  get count(): number {
    return this.#live.size;
  }

  /**
   * Runs `work` after the call, so that the caller has its `Generation` before any sink call. If it throws, the answer
   * fails.
   */
  start(ask: Ask, sink: AnswerSink, meta: ReplyMeta, work: (work: Work) => Promise<void>): Generation {
    const abort = new AbortController();
    const gate = new Gate();
    const dropped: string[] = [];
    let reply: Reply | null = null;
    const guarded = new GuardedSink(this.#expert, sink, gate, () =>
      unreadHeader([...ask.unread(), ...dropped]),
    );
    const run = async (): Promise<void> => {
      await null;
      if (this.#closed) throw shuttingDown();
      abort.signal.throwIfAborted();
      const idle = ask.dialect.idle?.(ask, meta) ?? null;
      if (idle !== null) {
        guarded.head(200, { 'content-type': 'application/json; charset=utf-8' });
        guarded.data(idle);
        guarded.end({ usage: NO_USAGE, finishReason: 'unknown' });
        return;
      }
      reply = new ContentfulReply(this.#expert, ask, guarded, writerOf(ask));
      reply.begin(meta);
      await work({
        reply,
        signal: abort.signal,
        drained: () => gate.wait(abort.signal),
        drop: (field) => dropped.push(field),
      });
    };
    const finished = run().catch((error: unknown) => (reply ?? guarded).fail(asFailure(error)));
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

  /** Cancels all generations; later ones fail. Resolves when the last has stopped. */
  async close(): Promise<void> {
    this.#closed = true;
    const live = [...this.#live];
    for (const entry of live) entry.shutDown();
    await Promise.all(live.map((entry) => entry.finished));
  }
}

/** @throws RouterError for a dialect whose answers are no text */
function writerOf({ dialect }: Ask): NonNullable<Ask['dialect']['writer']> {
  if (dialect.writer) return dialect.writer;
  throw new RouterError('unsupported_request', `This expert does not answer ${dialect.id} requests.`);
}

function shuttingDown(): RouterError {
  return new RouterError('shutting_down', 'The expert is shutting down.');
}

function asFailure(error: unknown): Failure {
  if (error instanceof RouterError || error instanceof ToldFailure) return error;
  return new RouterError('expert_failed', `The expert failed: ${describeError(error)}`, { cause: error });
}

/** Longest list of dropped fields that is shown. */
const MOST_DROPPED = 1_000;

/** What of the request no typed reply can take into account, for whoever wonders. */
function unreadHeader(all: readonly string[]): Readonly<Record<string, string>> {
  const fields = all.filter((field) => /^[\x21-\x7e]{1,100}$/.test(field));
  return fields.length === 0 ? {} : { 'x-expert-router-dropped': fields.join(', ').slice(0, MOST_DROPPED) };
}

/** Closed while the sink has no room. */
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

/** A sink that ignores calls after its end, and closes the gate when the sink behind it has no room. */
class GuardedSink implements AnswerSink {
  readonly #expert: string;
  readonly #sink: AnswerSink;
  readonly #gate: Gate;
  readonly #headers: () => Readonly<Record<string, string>>;
  #begun = false;
  #over = false;

  /** @param headers of ours for the head of an answer */
  constructor(expert: string, sink: AnswerSink, gate: Gate, headers: () => Readonly<Record<string, string>>) {
    this.#expert = expert;
    this.#sink = sink;
    this.#gate = gate;
    this.#headers = headers;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#over) return;
    this.#begun = true;
    this.#sink.head(status, { ...headers, ...this.#headers() });
  }

  data(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    const more = this.#sink.data(chunk);
    if (!more) this.#gate.close();
    return more;
  }

  end(outcome: Parameters<AnswerSink['end']>[0]): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.end(outcome);
  }

  fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.fail(this.#begun ? brokenOff(this.#expert, failure) : failure);
  }

  mute(): void {
    this.#over = true;
  }
}
