/**
 * Every error a client or user can meet, as one table: code → HTTP status, whose doing it is, retryable. Dialects write
 * them, in words of their own; nothing else writes status numbers.
 */

/** Whose doing an error is: the request's, its key's, that of too much load, or the servers'. */
export type Blame = 'request' | 'key' | 'load' | 'server';

interface ErrorKind {
  /** By HTTP's meaning; a dialect whose API uses another writes that one. */
  readonly status: number;
  readonly blame: Blame;
  /** Whether another expert, or the same one later, might succeed with the same request. */
  readonly retryable: boolean;
}

const invalid = (status: number): ErrorKind => ({ status, blame: 'request', retryable: false });
const upstream = (status: number): ErrorKind => ({ status, blame: 'server', retryable: true });

export const ERROR_KINDS = {
  invalid_request: invalid(400),
  invalid_json: invalid(400),
  request_loop: invalid(400),
  invalid_body: invalid(400),
  body_too_large: invalid(413),
  unsupported_media_type: invalid(415),
  not_found: invalid(404),
  method_not_allowed: invalid(405),
  model_not_found: invalid(404),
  context_length_exceeded: invalid(400),
  previous_response_not_found: invalid(400),
  unsupported_parameter: invalid(400),
  unsupported_request: invalid(400),
  invalid_api_key: { status: 401, blame: 'key', retryable: false },
  role_missing: { status: 403, blame: 'key', retryable: false },
  not_reloaded: invalid(409),
  not_local: invalid(403),
  host_not_allowed: invalid(403),
  origin_not_allowed: invalid(403),
  expert_unreachable: upstream(502),
  expert_failed: upstream(502),
  expert_cut_stream: upstream(502),
  expert_timeout: upstream(504),
  expert_not_ready: upstream(503),
  model_not_allowed: { status: 403, blame: 'key', retryable: false },
  rate_limit_exceeded: { status: 429, blame: 'load', retryable: false },
  insufficient_quota: { status: 429, blame: 'load', retryable: false },
  limits_unavailable: { status: 503, blame: 'server', retryable: false },
  overloaded: { status: 429, blame: 'load', retryable: true },
  queue_timeout: upstream(503),
  shutting_down: upstream(503),
  too_many_connections: { status: 503, blame: 'load', retryable: false },
  metrics_incomplete: { status: 503, blame: 'server', retryable: false },
  internal_error: { status: 500, blame: 'server', retryable: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** An error reported to the client: its message names the cause and, where there is one, the cure. */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly code: ErrorCode;
  /** The request field at fault, such as `messages[0].role`, or null. */
  readonly param: string | null;
  /** Seconds after which a retry makes sense, or null if unknown. */
  readonly retryAfter: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { param?: string; cause?: unknown; retryAfter?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfter = options.retryAfter ?? null;
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}

/** A user's mistake in the config, flags or files: printed without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The text of anything thrown, including the causes that libraries wrap. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const own = error.message || error.name;
  const text = code && !own.includes(code) ? `${own} (${code})` : own;
  const cause = error.cause instanceof Error ? describeError(error.cause) : '';
  if (cause.includes(text)) return cause;
  return cause && !text.includes(cause) ? `${text}: ${cause}` : text;
}
