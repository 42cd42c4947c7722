/**
 * Failures of engines as values. `failureText` puts one into words, and the doctor adds its cure.
 */
import { describeError, type ErrorCode, RouterError } from '../../core/errors.ts';
import { WireError, type WireFailure } from '../../http/client.ts';

export type EngineFailure =
  /** No connection. `code` is the system's (`ECONNREFUSED`, `ENOTFOUND`, …); null where none came in time. */
  | { readonly kind: 'unreachable'; readonly code: string | null; readonly detail: string }
  /** Connected, but no whole answer in time. */
  | { readonly kind: 'timeout'; readonly detail: string }
  /** The answer broke off. */
  | { readonly kind: 'cut'; readonly detail: string }
  | {
      readonly kind: 'wrong-protocol';
      readonly expected: 'HTTP/1.1' | "KServe's gRPC";
      readonly detail: string;
    }
  /** A key is missing or wrong. `status`: the HTTP status, if it came over HTTP. */
  | { readonly kind: 'unauthorized'; readonly status: number | null; readonly detail?: string }
  /** An HTTP status that is an error. `asked`: method and path; `message`: the server's own words. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly asked?: string;
      readonly message?: string;
    }
  | { readonly kind: 'loading'; readonly detail: string }
  | { readonly kind: 'not-loaded'; readonly model: string | null; readonly detail: string }
  /** A server that is no engine. */
  | {
      readonly kind: 'foreign';
      readonly html: boolean;
      readonly statuses: readonly number[];
      readonly server: string | null;
    }
  /** Several engines answer from one address: a proxy that mixes them, or two listeners on one port. */
  | { readonly kind: 'several'; readonly engines: readonly string[] }
  | { readonly kind: 'wrong-model'; readonly wanted: string; readonly served: readonly string[] }
  | { readonly kind: 'not-metrics' }
  /** A metrics page without any of the expected names. */
  | { readonly kind: 'unknown-metrics'; readonly engine: string | null; readonly names: readonly string[] }
  /** This expert was stopped by us. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'other'; readonly detail: string };

/** A failure as an error. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: EngineFailure;

  /** @param where prefixed to the message, such as an address */
  constructor(failure: EngineFailure, where?: string) {
    super(where === undefined ? failureText(failure) : `${where}: ${failureText(failure)}`);
    this.failure = failure;
  }
}

const OF_ROUTER: Readonly<Partial<Record<ErrorCode, 'timeout' | 'cut' | 'unreachable' | 'not-ready'>>> = {
  expert_unreachable: 'unreachable',
  expert_timeout: 'timeout',
  expert_cut_stream: 'cut',
  expert_not_ready: 'not-ready',
};

/** Anything thrown, as a failure. */
export function failureFrom(error: unknown): EngineFailure {
  if (error instanceof FailureError) return error.failure;
  const detail = error instanceof RouterError ? error.message : describeError(error);
  switch (kindOf(error)) {
    case 'unreachable':
      return { kind: 'unreachable', code: systemCode(error), detail };
    case 'timeout':
      return { kind: 'timeout', detail };
    case 'cut':
      return { kind: 'cut', detail };
    case 'garbled':
      return { kind: 'wrong-protocol', expected: 'HTTP/1.1', detail };
    case 'not-ready':
      return { kind: 'not-loaded', model: null, detail };
    default:
      return { kind: 'other', detail };
  }
}

function kindOf(error: unknown): WireFailure | 'not-ready' | undefined {
  if (error instanceof WireError) return error.failure;
  return error instanceof RouterError ? OF_ROUTER[error.code] : undefined;
}

/** The system's code of an error or of one of its causes. */
export function systemCode(error: unknown): string | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string' && !(at instanceof RouterError)) return code;
  }
  return null;
}

/** A failure in words, without its cure. */
export function failureText(failure: EngineFailure): string {
  switch (failure.kind) {
    case 'unauthorized':
      return failure.detail ?? `it answers ${failure.status}: it wants a key`;
    case 'status': {
      const { asked, status, message } = failure;
      return `${asked === undefined ? 'status' : `${asked} answered`} ${status}${message === undefined ? '' : `: ${message}`}`;
    }
    case 'not-loaded':
      return failure.model === null
        ? failure.detail
        : `model ${failure.model} is not loaded: ${failure.detail}`;
    case 'foreign':
      return foreignText(failure);
    case 'several':
      return `answers of ${failure.engines.join(' and ')} come from this one address`;
    case 'wrong-model':
      return `${failure.wanted} is not served there; it serves ${someOf(failure.served)}`;
    case 'not-metrics':
      return "not a page of metrics in Prometheus' format";
    case 'unknown-metrics':
      return `metrics, but none of ${failure.engine ?? 'the known engines'} (${failure.names.join(', ')}): another version may have renamed them`;
    case 'wrong-protocol':
      return `it does not speak ${failure.expected} (${failure.detail})`;
    case 'closed':
      return 'closed';
    default:
      return failure.detail;
  }
}

/** The first eight of a list. */
export function someOf(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ');
}

function foreignText({ html, statuses, server }: Extract<EngineFailure, { kind: 'foreign' }>): string {
  const what = html
    ? 'a web server with HTML pages'
    : `a server that answers ${statuses.join(', ')} where engines describe themselves`;
  return server === null ? what : `${what} (${server})`;
}
