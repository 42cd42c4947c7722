/** Whether an expert's engine answers, found by a small real request: a server may tell its health without one that does. */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import { failureFrom } from '../engines/failure.ts';
import { type Failure, ToldFailure } from '../reply/failure.ts';
import type { Expert, Generation, Health } from './expert.ts';

export const testRequest = z
  .boolean()
  .optional()
  .describe(
    'Whether a request for one token tells a dead engine behind a live server, when a request has met silence or broken off; when absent, wherever nobody bills it: at http addresses, private ones, and behind a `ca` of your own',
  );

/** What costs an engine least. */
const TEST = { max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
const BODY = { bytes: Buffer.from(JSON.stringify(TEST)), json: TEST, partial: false };
/** Failures of a server that has not answered. */
const SILENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'expert_unreachable',
  'expert_timeout',
  'expert_cut_stream',
  'expert_not_ready',
  'shutting_down',
]);
/** Names without a dot, and those whose end no public name has (RFC 6761, 6762, 8375; `internal` is ICANN's for this). */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|lan|internal|intranet|home\.arpa|svc)$/;
/** Loopback, private and link-local addresses (RFC 1918, 3927, 4193, 6598). */
const PRIVATE_ADDRESS =
  /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd]|fe[89ab])/;

/** Whether a request of ours could cost somebody money, as far as an address tells. @param ca of one's own; absent for none */
export function mayBeMetered({ protocol, hostname }: URL, ca: string | undefined): boolean {
  if (protocol === 'http:' || ca !== undefined) return false;
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return !(isIP(host) === 0 ? PRIVATE_NAME : PRIVATE_ADDRESS).test(host);
}

/** Asks for one token. Any answer that is no failure of the server's own shows that the engine works. */
export function provedByAsking(expert: Pick<Expert, 'generate'>, signal: AbortSignal): Promise<Health> {
  const ask = openAiChat.ask(openAiChat.facts(TEST), BODY);
  return new Promise((resolve) => {
    let generation: Generation | null = null;
    const found = (health: Health): void => {
      signal.removeEventListener('abort', late);
      generation?.cancel();
      resolve(health);
    };
    const late = (): void =>
      found({ state: 'down', failure: { kind: 'timeout', detail: 'no answer in time' } });
    const ready = (): void => found({ state: 'ready' });
    signal.addEventListener('abort', late);
    generation = expert.generate(
      { ask, headers: {}, traceId: '' },
      { head: ready, data: () => true, end: ready, fail: (failure) => found(healthFrom(failure)) },
    );
  });
}

function healthFrom(failure: Failure): Health {
  if (failure instanceof ToldFailure) {
    const { status, message } = failure;
    return status < 500
      ? { state: 'ready' }
      : { state: 'down', failure: { kind: 'status', status, message } };
  }
  return SILENT.has(failure.code) ? { state: 'down', failure: failureFrom(failure) } : { state: 'ready' };
}
