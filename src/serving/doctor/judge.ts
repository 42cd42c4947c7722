/** What the doctor makes of what an expert said and did. Pure: it asks nobody. */
import { RouterError } from '../../core/errors.ts';
import { eventReader } from '../../core/sse.ts';
import { nearestName } from '../../core/suggest.ts';
import type { EngineDescription, Health, ReportedLoad } from '../experts/expert.ts';
import type { Heard } from './question.ts';

/**
 * `ok` and `failed` were seen; `unseen`: the expert does not let it be seen, which is no fault; `skipped`: not tried,
 * because something before it failed or because it does not apply.
 */
export type Finding = 'ok' | 'failed' | 'unseen' | 'skipped';

export interface Check {
  readonly name: string;
  readonly finding: Finding;
  readonly detail: string;
  /** What to do about it. */
  readonly cure?: string;
}

const check = (name: string, finding: Finding, detail: string, cure?: string): Check => ({
  name,
  finding,
  detail,
  ...(cure === undefined ? {} : { cure }),
});

const LOG = 'look into the log of the engine';
const CUT = 'look for a proxy that cuts, or an engine that restarts, in mid-answer';

export function judgeHealth(health: Health): Check {
  if (health.state === 'ready') return check('reachable', 'ok', health.detail ?? 'ready');
  if (health.state === 'warming')
    return check('reachable', 'failed', `not ready yet: ${health.detail}`, 'wait until its model is loaded');
  return check('reachable', 'failed', health.detail, cureOf(health.detail));
}

/** What helps against a failure to connect, by the system's word for it. */
function cureOf(detail: string): string {
  if (/ECONNREFUSED/.test(detail)) return 'start the engine there, or correct the port in url';
  if (/ENOTFOUND|EAI_AGAIN/.test(detail)) return 'correct the host name in url; it is not known here';
  if (/EHOSTUNREACH|ENETUNREACH|no connection within|in time/.test(detail))
    return 'check the network and firewall between here and url, and whether the engine hangs';
  if (/certificate|self.signed|SSL|TLS/i.test(detail))
    return 'check http against https in url, and the certificate';
  if (/\b40[13]\b|wants a key/.test(detail)) return 'set api_key, as in api_key: ${NAME}';
  if (/come from this one address/.test(detail))
    return 'give each engine a port of its own; whichever answers, half of the requests go wrong';
  if (/HTML|\b404\b|not an HTTP/.test(detail))
    return 'point url at the engine itself: another service answers there';
  return LOG;
}

export function judgeEngine(described: EngineDescription | Error): Check {
  if (described instanceof Error)
    return check('engine', 'failed', described.message, cureOf(described.message));
  const { engine, version, dialect } = described;
  const words = [engine, version, dialect === null ? null : `dialect ${dialect}`];
  return check('engine', 'ok', words.filter((word) => word !== null).join(', '));
}

/**
 * Whether the configured model is among those served. An answer is the better witness: some servers take any name.
 * @param model null where the config names none
 */
export function judgeModel(model: string | null, served: readonly string[], answered: boolean): Check {
  if (model === null) return check('model', 'skipped', 'the config names none');
  if (served.includes(model)) return check('model', 'ok', model);
  if (served.length === 0)
    return check('model', answered ? 'ok' : 'unseen', `${model}; the engine lists none`);
  const list = served.length > 8 ? `${served.slice(0, 8).join(', ')}, …` : served.join(', ');
  if (answered) return check('model', 'ok', `${model}; it answers, though the engine lists ${list}`);
  const near = nearestName(model, served) ?? (served.length === 1 ? served[0]! : null);
  const cure = near ? `did you mean model: ${near}?` : 'set model to one of these';
  return check('model', 'failed', `${model} is not served there; it serves ${list}`, cure);
}

/** A whole answer, and in a second check whether it counted its tokens. */
export function judgeWhole(heard: Heard): readonly Check[] {
  const bad = failureOf('answer', heard);
  if (bad) return [bad, check('usage', 'skipped', 'there was no answer')];
  const json = parsed(heard.body.toString('utf8'));
  const text = textOf(json, 'message');
  if (text === null && (json as { error?: unknown } | null)?.error) {
    const message = errorMessage(heard.body.toString('utf8'));
    return [
      check('answer', 'failed', `status 200 with an error in it: ${message}`, LOG),
      check('usage', 'skipped', 'there was no answer'),
    ];
  }
  if (text === null)
    return [
      check(
        'answer',
        'failed',
        `not a chat completion: ${shortened(heard.body)}`,
        'point url at the engine itself',
      ),
      check('usage', 'skipped', 'there was no answer'),
    ];
  const usage = heard.outcome?.usage ?? 'unknown';
  return [
    check('answer', 'ok', `${quoted(text)} after ${seconds(heard.totalMs)}`),
    usage === 'unknown'
      ? check('usage', 'unseen', 'the engine does not count tokens; they are unknown in answers and metrics')
      : check('usage', 'ok', `${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`),
  ];
}

export function judgeStream(heard: Heard): Check {
  const bad = failureOf('streaming', heard);
  if (bad) return bad;
  let body: string;
  try {
    body = new TextDecoder('utf8', { fatal: true }).decode(heard.body);
  } catch {
    return check('streaming', 'failed', 'it ends within a character: not valid UTF-8', 'update the engine');
  }
  const { text, chunks, done, error } = readStream(body);
  if (error !== null) return check('streaming', 'failed', `an error within the stream: ${error}`, LOG);
  if (chunks === 0)
    return check(
      'streaming',
      'failed',
      `no events: ${shortened(heard.body)}`,
      'point url at the engine itself',
    );
  if (!done)
    return check(
      'streaming',
      'failed',
      `${chunks} chunks, no finish reason and no [DONE]: clients take that for a broken answer`,
      CUT,
    );
  const slow =
    heard.pieces === 1 && chunks > 3 ? '; all at once: a proxy before it may hold streams back' : '';
  return check(
    'streaming',
    'ok',
    `${quoted(text)} in ${chunks} chunks, the first after ${seconds(heard.firstMs ?? 0)}${slow}`,
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
  if (early !== null) return check('cancel', 'unseen', `the answer was over too soon (${early})`);
  if (counts === null)
    return check('cancel', 'unseen', 'the connection is closed; the engine does not tell what it runs');
  const { before, during, after } = counts;
  if (during <= before)
    return check('cancel', 'unseen', 'the request did not show in what the engine reports');
  if (after <= before)
    return check(
      'cancel',
      'ok',
      `its requests fell back from ${during} to ${after} within ${seconds(afterMs)}`,
    );
  return check(
    'cancel',
    'failed',
    `its requests stay at ${after} (${before} before) ${seconds(afterMs)} after the reader left`,
    'look for a proxy that keeps the connection to the engine open, or others who use it meanwhile',
  );
}

/** @param cure how this engine's metrics are switched on, where that is known */
export function judgeMetrics(
  load: ReportedLoad | null | Error,
  at: string | null,
  cure: string | undefined,
): Check {
  if (load instanceof Error)
    return check('metrics', 'failed', load.message, 'set metrics_url, or false to do without');
  if (load === null)
    return check('metrics', 'unseen', 'none found: others’ requests cannot be counted', cure);
  const cache = load.kvCacheUse === null ? null : `KV cache ${Math.round(100 * load.kvCacheUse)} %`;
  const counts = [`running ${load.running ?? '?'}`, `waiting ${load.waiting ?? '?'}`];
  const words = [...counts, ...(cache ? [cache] : [])].join(', ');
  return check('metrics', 'ok', at === null ? words : `${words}, at ${at}`);
}

function failureOf(name: string, { failure, status, body }: Heard): Check | null {
  if (failure) {
    const cure = failure.code === 'expert_cut_stream' ? CUT : cureOf(failure.message);
    return check(name, 'failed', failure.message, cure);
  }
  if (status === 200) return null;
  const message = errorMessage(body.toString('utf8'));
  const cures: Readonly<Record<number, string>> = {
    400: 'the engine refuses the request: see its message, and whether the model has a chat template',
    401: 'set api_key, as in api_key: ${NAME}',
    403: 'the key is not allowed to use this model',
    404: 'correct model, or the path in url',
    429: 'the engine is full, or the account has no credit: ask again later',
    503: 'wait until its model is loaded',
  };
  return check(name, 'failed', `status ${status}: ${message}`, cures[status] ?? LOG);
}

function errorMessage(text: string): string {
  const json = parsed(text) as { error?: unknown; message?: unknown; detail?: unknown } | null;
  const error = json?.error as { message?: unknown } | string | undefined;
  const told = typeof error === 'object' ? error?.message : (error ?? json?.message ?? json?.detail);
  return typeof told === 'string' ? told : shortened(Buffer.from(text));
}

function readStream(body: string): { text: string; chunks: number; done: boolean; error: string | null } {
  const read = { text: '', chunks: 0, done: false, error: null as string | null };
  const feed = eventReader(({ data }) => {
    if (data === '[DONE]') {
      read.done = true;
      return;
    }
    const chunk = parsed(data) as {
      error?: { message?: string };
      choices?: readonly { finish_reason?: unknown }[];
    } | null;
    if (chunk?.error) read.error = chunk.error.message ?? JSON.stringify(chunk.error);
    const text = textOf(chunk, 'delta');
    if (text !== null) read.chunks += 1;
    // Some engines end with it, and send no [DONE].
    if (chunk?.choices?.[0]?.finish_reason) read.done = true;
    read.text += text ?? '';
  });
  feed(body);
  return read;
}

/** The text of the first choice; null where there is no choice. Thinking counts as text. */
function textOf(json: unknown, part: 'message' | 'delta'): string | null {
  const choice = (json as { choices?: readonly Record<string, unknown>[] } | null)?.choices?.[0];
  if (!choice) return null;
  const message = (choice[part] ?? {}) as Record<string, unknown>;
  const said = [message.reasoning_content, message.reasoning, message.content];
  return said.filter((one) => typeof one === 'string').join('');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return `“${line.length > 40 ? `${line.slice(0, 40)}…` : line}”`;
}

function shortened(body: Buffer): string {
  const text = body.toString('utf8').trim().replace(/\s+/g, ' ');
  return text === '' ? 'an empty body' : text.slice(0, 120);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}

/** For what went wrong while an expert was made. */
export function judgeMade(error: Error): Check {
  const cure = error instanceof RouterError ? {} : { cure: 'correct the config' };
  return { name: 'made', finding: 'failed', detail: error.message, ...cure };
}
