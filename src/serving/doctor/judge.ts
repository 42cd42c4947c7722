/** What the doctor makes of what an expert said and did. Pure. */
import { isUtf8 } from 'node:buffer';
import { RouterError } from '../../core/errors.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import { readWhole as readCompletion } from '../dialects/openai/reader.ts';
import { type EngineFailure, failureFrom, someOf } from '../engines/failure.ts';
import type { EngineDescription, Health, ReportedLoad } from '../experts/expert.ts';
import { ToldFailure } from '../reply/failure.ts';
import type { Reply } from '../reply/reply.ts';
import { replyTo } from '../reply/reply-to.ts';
import { type Fault, seconds } from './fault.ts';
import type { Heard } from './question.ts';

/**
 * `ok` and `failed` were seen; `unseen`: the expert does not let it be seen, which is no fault; `skipped`: not tried,
 * because something before it failed or because it does not apply.
 */
export type Check =
  | { readonly name: string; readonly finding: 'ok' | 'unseen' | 'skipped'; readonly detail: string }
  | { readonly name: string; readonly finding: 'failed' | 'unseen'; readonly fault: Fault };

const ok = (name: string, detail: string): Check => ({ name, finding: 'ok', detail });
const unseen = (name: string, detail: string): Check => ({ name, finding: 'unseen', detail });
const skipped = (name: string, detail: string): Check => ({ name, finding: 'skipped', detail });
const failed = (name: string, fault: Fault): Check => ({ name, finding: 'failed', fault });

/** For what went wrong while an expert was made. */
export function judgeMade(error: unknown): Check {
  return failed(
    'made',
    error instanceof RouterError
      ? failureFrom(error)
      : { kind: 'config', detail: error instanceof Error ? error.message : String(error) },
  );
}

export function judgeHealth(health: Health): Check {
  if (health.state === 'ready') return ok('reachable', health.detail ?? 'ready');
  return failed(
    'reachable',
    health.state === 'warming' ? { kind: 'loading', detail: health.detail } : health.failure,
  );
}

export function judgeEngine(described: EngineDescription | EngineFailure): Check {
  if ('kind' in described) return failed('engine', described);
  const { engine, version, dialect, quirks } = described;
  const words = [
    engine,
    version,
    dialect === null ? null : `dialect ${dialect}`,
    quirks === undefined ? null : `quirks ${quirks}`,
  ];
  return ok('engine', words.filter((word) => word !== null).join(', '));
}

/**
 * Whether the configured model is among those served. An answer is the better witness: some servers take any name.
 * @param model null where the config names none
 */
export function judgeModel(model: string | null, served: readonly string[], answered: boolean): Check {
  if (model === null) return skipped('model', 'the config names none');
  if (served.includes(model)) return ok('model', model);
  if (served.length === 0) return (answered ? ok : unseen)('model', `${model}; the engine lists none`);
  if (answered) return ok('model', `${model}; it answers, though the engine lists ${someOf(served)}`);
  return failed('model', { kind: 'wrong-model', wanted: model, served });
}

/** A whole answer, and in a second check whether it counted its tokens. */
export function judgeWhole(heard: Heard): readonly Check[] {
  const { text, whole, error } = readWhole(heard.body);
  const fault = faultOf(heard) ?? (whole ? null : faultInWhole(heard.body, error));
  if (fault !== null) return [failed('answer', fault), skipped('usage', 'there was no answer')];
  const usage = heard.outcome?.usage ?? 'unknown';
  return [
    ok('answer', `${quoted(text)} after ${seconds(heard.totalMs)}`),
    usage === 'unknown'
      ? unseen('usage', 'the engine does not count tokens; they are unknown in answers and metrics')
      : ok('usage', `${usage.inputTokens} tokens in, ${usage.outputTokens} out`),
  ];
}

function faultInWhole(body: Buffer, error: string | null): Fault {
  return error === null
    ? { kind: 'not-an-answer', streamed: false, body: shortened(body) }
    : { kind: 'error-in-answer', streamed: false, message: error };
}

export function judgeStream(heard: Heard): Check {
  const fault = faultOf(heard);
  if (fault !== null) return failed('streaming', fault);
  if (!isUtf8(heard.body)) return failed('streaming', { kind: 'not-utf8' });
  const { text, events, whole, error } = readStream(heard.body);
  if (error !== null) return failed('streaming', { kind: 'error-in-answer', streamed: true, message: error });
  if (events === 0)
    return failed('streaming', { kind: 'not-an-answer', streamed: true, body: shortened(heard.body) });
  if (!whole) return failed('streaming', { kind: 'no-done', chunks: events });
  const slow =
    heard.pieces === 1 && events > 3 ? '; all at once: a proxy before it may hold streams back' : '';
  return ok(
    'streaming',
    `${quoted(text)} in ${events} chunks, the first after ${seconds(heard.firstMs ?? 0)}${slow}`,
  );
}

/** What was seen of a stream that was cancelled in the middle. */
export interface Cancelled {
  /** It was over before it could be cancelled, in the words of its end. */
  readonly early: string | null;
  /** Requests in the engine before, in the middle and at last after, by its own report; null where it tells nothing. */
  readonly counts: { readonly before: number; readonly during: number; readonly after: number } | null;
  readonly afterMs: number;
}

export function judgeCancel({ early, counts, afterMs }: Cancelled): Check {
  if (early !== null) return unseen('cancel', `the answer was over too soon (${early})`);
  if (counts === null)
    return unseen('cancel', 'the connection is closed; the engine does not tell what it runs');
  const { before, during, after } = counts;
  if (during <= before) return unseen('cancel', 'the request did not show in what the engine reports');
  return after <= before
    ? ok('cancel', `its requests fell back from ${during} to ${after} within ${seconds(afterMs)}`)
    : failed('cancel', { kind: 'not-cancelled', before, after, afterMs });
}

export function judgeMetrics(load: ReportedLoad | null | EngineFailure, at: string | null): Check {
  if (load === null) return { name: 'metrics', finding: 'unseen', fault: { kind: 'no-metrics' } };
  if ('kind' in load) return failed('metrics', { kind: 'unreadable-metrics', failure: load });
  const cache = load.kvCacheUse === null ? [] : [`KV cache ${Math.round(100 * load.kvCacheUse)} %`];
  const counts = [`running ${load.running ?? '?'}`, `waiting ${load.waiting ?? '?'}`, ...cache].join(', ');
  return ok('metrics', at === null ? counts : `${counts}, at ${at}`);
}

function faultOf({ failure, status, body }: Heard): Fault | null {
  if (failure) return failureFrom(failure);
  if (status === 200) return null;
  return { kind: 'status', status, message: openAiChat.refusal(status, {}, body).message };
}

/** What the dialect in which the expert was asked reads in an answer. Thinking counts as text. */
interface Read {
  text: string;
  events: number;
  whole: boolean;
  /** What the answer says of an error. */
  error: string | null;
}

function readWhole(body: Buffer): Read {
  return reading((read, reply) => {
    read.whole = readCompletion(body.toString('utf8'), reply);
  });
}

function readStream(body: Buffer): Read {
  return reading((read, reply) => {
    const reader = openAiChat.reader(reply);
    for (const _ of reader.read(body)) read.events += 1;
    read.whole = reader.finish();
  });
}

function reading(act: (read: Read, reply: Reply) => void): Read {
  const read: Read = { text: '', events: 0, whole: false, error: null };
  const said = (piece: string): boolean => {
    read.text += piece;
    return true;
  };
  try {
    act(read, replyTo({ text: said, thinking: said }));
  } catch (error) {
    if (error instanceof ToldFailure) read.error = error.message;
    else if (!(error instanceof SyntaxError)) throw error;
  }
  return read;
}

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return `“${line.length > 40 ? `${line.slice(0, 40)}…` : line}”`;
}

function shortened(body: Buffer): string {
  const text = body.toString('utf8').trim().replace(/\s+/g, ' ');
  return text === '' ? 'an empty body' : text.slice(0, 120);
}
