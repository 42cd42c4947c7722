/** Letting a request in by its head, and its body as it comes: what the gateway's own front does, for Envoy. */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { DIALECTS } from '../dialects/index.ts';
import { authenticate, type HashedKey, refuseWithout } from '../front/auth.ts';
import { announcedBytes, GrowingBody, tooLarge } from '../front/body.ts';
import type { BodyShare } from '../front/body-budget.ts';
import { type Permitted, refuseForeignPage } from '../front/foreign-page.ts';
import type { RouteContext } from '../front/handler.ts';
import { nextHop } from '../front/hops.ts';
import type { Prices } from '../front/request-note.ts';
import { subsetHint } from './candidates.ts';
import type { Head } from './head.ts';
import type { OwnHeaders } from './headers.ts';
import { BODY_MODE, type ProcessingRequest } from './protocol.ts';

/** What the config says of this transport. */
export interface ExtProcSettings {
  readonly headers: OwnHeaders;
  readonly endpoints: boolean;
  /** Milliseconds from a request's head to its decision. */
  readonly deadline: number;
}

/** What serves at present. */
export interface ServingNow {
  readonly keys: readonly HashedKey[];
  readonly permitted: Permitted;
  readonly context: RouteContext;
  readonly prices: Prices;
  readonly extproc: ExtProcSettings;
}

/** A request that has been let in and is being read. */
export interface Reading {
  readonly head: Head;
  readonly dialect: Dialect;
  readonly caller: HashedKey | null;
  readonly hops: string;
  readonly hint: ReadonlySet<string> | null;
  readonly buffered: boolean;
  readonly context: RouteContext;
  readonly settings: ExtProcSettings;
  readonly body: GrowingBody;
}

interface Wanted {
  readonly path: string;
  /** Null for the list of models. */
  readonly dialect: Dialect | null;
}

const MB = 1024 * 1024;
const MODELS = '/v1/models';

/** What is asked for at a path; null where there is nothing. */
export function wantedAt(target: string): Wanted | null {
  const path = target.split('?', 1)[0]!;
  if (path === MODELS) return { path, dialect: null };
  const dialect = DIALECTS.find((one) => one.paths.includes(path));
  return dialect ? { path, dialect } : null;
}

/**
 * @returns whose request it is; null without keys
 * @throws RouterError for what the gateway's own front refuses by the head
 */
export function admit(
  head: Head,
  wanted: Wanted | null,
  { keys, permitted, context }: ServingNow,
): HashedKey | null {
  if (keys.length === 0) {
    const { origin, 'sec-fetch-site': fetchSite } = head.headers;
    const site = fetchSite as string | undefined;
    refuseForeignPage({ authority: head.authority, origin, fetchSite: site }, permitted);
  }
  if (wanted === null) {
    const here = [...DIALECTS.flatMap((one) => one.paths), MODELS].join(', ');
    const asked = `${excerpt(head.method)} ${excerpt(head.path)}`;
    throw new RouterError('not_found', `There is nothing at ${asked}. Here are: ${here}.`);
  }
  const method = wanted.dialect === null ? 'GET' : 'POST';
  if (head.method !== method)
    throw new RouterError(
      'method_not_allowed',
      `${wanted.path} takes ${method}, not ${excerpt(head.method)}.`,
    );
  const caller = authenticate(head, keys);
  refuseWithout('ask', caller);
  if (context.readiness.draining)
    throw new RouterError('shutting_down', 'This router is shutting down.', { retryAfter: 1 });
  return caller;
}

interface LetIn {
  readonly head: Head;
  readonly dialect: Dialect;
  readonly caller: HashedKey | null;
  readonly serving: ServingNow;
  readonly share: BodyShare;
}

/** @throws RouterError for a body that is compressed or too large, a loop of routers, and a gateway set up wrongly */
export function beginReading(message: ProcessingRequest, { serving, share, ...asked }: LetIn): Reading {
  const { context, extproc } = serving;
  const expected = announcedBytes(asked.head.headers, context.maxBodyMb);
  return {
    ...asked,
    hops: nextHop(asked.head),
    hint: subsetHint(message),
    buffered: isBuffered(message),
    context,
    settings: extproc,
    body: new GrowingBody(share, expected || context.maxBodyMb * MB),
  };
}

/** @throws RouterError `body_too_large`, `invalid_body` or `overloaded` */
export function readMore({ body, context }: Reading, chunk: Buffer): void {
  if (body.length + chunk.length > context.maxBodyMb * MB) throw tooLarge(context.maxBodyMb);
  body.push(chunk);
}

/** @throws RouterError where Envoy is set up to show no body, or only a part of it */
function isBuffered({ protocol_config: config }: ProcessingRequest): boolean {
  // Envoys too old to say have no other mode that shows whole bodies.
  const mode = config?.request_body_mode ?? BODY_MODE.buffered;
  if (mode === BODY_MODE.buffered || mode === BODY_MODE.fullDuplex) return mode === BODY_MODE.buffered;
  throw new RouterError(
    'internal_error',
    'The gateway in front is set up wrongly: request_body_mode must be FULL_DUPLEX_STREAMED or BUFFERED.',
  );
}

export function tooSlow(stillReading: boolean, { deadline }: ExtProcSettings): RouterError {
  const seconds = deadline / 1000;
  return stillReading
    ? new RouterError('invalid_request', `The request did not come whole within ${seconds} s.`)
    : new RouterError('queue_timeout', `No expert had a free slot within ${seconds} s.`, { retryAfter: 1 });
}
