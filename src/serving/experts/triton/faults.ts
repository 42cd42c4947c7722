/** What went wrong at a Triton server, as an error for clients: its cause, and its cure where there is one. */
import { type ErrorCode, RouterError } from '../../../core/errors.ts';
import { type EngineFailure, systemCode } from '../../engines/failure.ts';
import type { Fault, ServerError } from './server.ts';

export interface Where {
  readonly expert: string;
  readonly url: string;
  /** Null while it is not known. */
  readonly model: string | null;
}

interface Told {
  readonly code: ErrorCode;
  /** @param why the server's own words */
  readonly message: (where: Where, why: string) => string;
}

const TOLD: Readonly<Record<Fault, Told>> = {
  unreachable: {
    code: 'expert_unreachable',
    message: ({ expert, url }, why) => `Expert '${expert}' cannot be reached at ${url} (${why}).`,
  },
  timeout: {
    code: 'expert_timeout',
    message: ({ expert }, why) => `Expert '${expert}' stopped answering (${why}).`,
  },
  cut: {
    code: 'expert_cut_stream',
    message: ({ expert }, why) => `Expert '${expert}' broke off its answer (${why}).`,
  },
  garbled: {
    code: 'expert_failed',
    message: ({ expert, url }, why) =>
      `Expert '${expert}' sent a response that Triton would not send (${why}). Check that ${url} is a Triton server.`,
  },
  not_found: { code: 'expert_not_ready', message: notLoaded },
  unavailable: { code: 'expert_not_ready', message: notLoaded },
  invalid: {
    code: 'expert_failed',
    message: ({ expert, model }, why) => `Expert '${expert}': model '${model}' refused the request: ${why}`,
  },
  forbidden: {
    code: 'expert_failed',
    message: ({ expert, url }, why) =>
      `Expert '${expert}' was refused by ${url} (${why}). Set \`restricted_api\` to the key of its restricted API.`,
  },
  unsupported: {
    code: 'expert_failed',
    message: ({ expert, url }, why) =>
      `Expert '${expert}': ${url} does not support this call (${why}). gRPC is usually on port 8001, HTTP on 8000.`,
  },
  overloaded: {
    code: 'overloaded',
    message: ({ expert }, why) => `Expert '${expert}' is overloaded (${why}).`,
  },
  failed: {
    code: 'expert_failed',
    message: ({ expert }, why) => `Expert '${expert}' failed: ${why}`,
  },
};

export function asRouterError(where: Where, error: ServerError): RouterError {
  if (isTooLong(error.message)) {
    return new RouterError(
      'context_length_exceeded',
      `The prompt does not fit into model '${where.model}': ${error.message}`,
      { param: 'messages', cause: error },
    );
  }
  const { code, message } = TOLD[error.fault];
  return new RouterError(code, message(where, error.message), { cause: error });
}

/** For an operator: one line. */
export function describeFault(where: Where, error: ServerError): string {
  return TOLD[error.fault].message(where, error.message);
}

/** For the doctor: a value. */
export function failureOf(where: Where, error: ServerError): EngineFailure {
  const detail = describeFault(where, error);
  switch (error.fault) {
    case 'unreachable':
      return { kind: 'unreachable', code: systemCode(error), detail };
    case 'timeout':
    case 'cut':
      return { kind: error.fault, detail };
    case 'not_found':
    case 'unavailable':
      return { kind: 'not-loaded', model: null, detail };
    case 'forbidden':
      return { kind: 'unauthorized', status: null, detail };
    default:
      return { kind: 'other', detail };
  }
}

function notLoaded({ expert, url, model }: Where, why: string): string {
  return (
    `Expert '${expert}': model '${model}' is not loaded at ${url} (${why}). ` +
    `Load it (expert-router triton load ${url} ${model}), or set \`load: true\`.`
  );
}

/** TensorRT-LLM: `Prompt length (9) exceeds maximum input length (8)`; vLLM: `longer than the maximum model length`. */
function isTooLong(message: string): boolean {
  return (
    /\b(prompt|input|tokens?)\b/i.test(message) &&
    /exceeds?|longer than|too long/i.test(message) &&
    /\b(max(imum)?|length|max_\w+)\b/i.test(message)
  );
}
