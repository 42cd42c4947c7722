/** Whose doing a failure is: the expert's, ours for how we asked it, or the request's. */
import { RouterError } from '../../core/errors.ts';
import type { Ask } from '../dialects/ask.ts';
import type { LeaseOutcome } from '../fleet/lease.ts';
import { EmptyAnswer } from '../reply/empty-answer.ts';
import { type Failure, isFiltered, isTooLong, ToldFailure } from '../reply/failure.ts';

/** What experts refuse by these statuses is ours: the client has no part in it. */
const OURS: ReadonlyMap<number, string> = new Map([
  [401, 'refuses the key that the config gives it'],
  [402, 'refuses for want of credit'],
  [403, 'refuses the credentials that the config gives it'],
  [404, 'has no such model or path as the config names'],
  [405, 'does not take what it is asked at the path that the config names'],
  [407, 'is behind a proxy that refuses the credentials that the config gives it'],
  [410, 'no longer has the model or path that the config names'],
  [421, 'does not serve the address that the config names'],
  [424, 'failed at something that it depends on'],
  [426, 'wants to be asked by another protocol than that of its url'],
]);
/** By the words of its error, whatever the status. */
const SETUP = 'refuses the key, the credit or the model that the config gives it';
/** What a client may have caused where it chose path and method. */
const OF_THE_PATH: ReadonlySet<number> = new Set([404, 405, 410]);
/** For a 429 that does not say how long. */
const BACKOFF_MS = 1_000;

/** As the client is told it. @param passed whether the client chose the server's path */
export function ownFailure(expert: string, failure: Failure, passed = false): Failure {
  if (!(failure instanceof ToldFailure) || isFiltered(failure)) return failure;
  if (passed && OF_THE_PATH.has(failure.status)) return failure;
  const ours = OURS.get(failure.status) ?? (failure.objection === 'setup' && !passed ? SETUP : undefined);
  if (ours === undefined) return failure;
  return new RouterError('expert_failed', `Expert '${expert}' ${ours} (status ${failure.status}).`);
}

/** @param tenant empty where requests have none @param epoch milliseconds since 1970, for a Retry-After that is a date */
export function leaseOutcome(failure: Failure, tenant: string, epoch: number): LeaseOutcome {
  if (isTooLong(failure) || failure instanceof EmptyAnswer) return { kind: 'ok', outputTokens: 0 };
  if (failure instanceof RouterError) {
    if (!failure.kind.retryable) return { kind: 'undecided' };
    if (failure.code === 'expert_unreachable') return { kind: 'failed', unreachable: true };
    return { kind: failure.code === 'expert_timeout' ? 'failed' : 'faulted' };
  }
  const { status, headers } = failure;
  const forMs = retryAfter(headers['retry-after'], epoch);
  if (status === 429) return { kind: 'limited', forMs: forMs ?? BACKOFF_MS, tenant: tenant || null };
  if (status < 500 && status !== 408) return { kind: 'ok', outputTokens: 0 };
  return forMs === null ? { kind: 'faulted' } : { kind: 'limited', forMs, tenant: null };
}

/** The preferred form of a date in HTTP (RFC 9110, section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Milliseconds from a Retry-After in seconds, or until its date; null for none, and for a date that is past. */
export function retryAfter(header: string | undefined, epoch: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,5}(\.\d{1,3})?$/.test(header)) return Number(header) * 1000;
  const left = HTTP_DATE.test(header) ? Date.parse(header) - epoch : Number.NaN;
  return left > 0 ? left : null;
}

/** What a request asks for besides text, as a name that is equal for its like; empty for text alone. */
export function shapeOf(ask: Ask): string {
  if (ask.dialect.writer === null) return ask.dialect.paths[0];
  try {
    const prompt = ask.prompt();
    const parts = prompt.kind === 'text' ? [] : prompt.messages.flatMap((message) => message.parts);
    const others = parts.map(({ type }) => type).filter((type) => type !== 'text');
    const tools = ask.tools().list.length > 0 ? ['tools'] : [];
    const names = [...others, ...tools, ask.format().type, ...ask.demands().map(({ needs }) => needs)];
    return [...new Set(names)]
      .filter((name) => name !== 'text')
      .sort()
      .join(', ');
  } catch {
    return 'unreadable'; // only by an expert that takes its bytes
  }
}
