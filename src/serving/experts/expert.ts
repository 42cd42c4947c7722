/** What an expert is to the rest of the product: something that turns one request into one reply, in bytes of OpenAI's format. */
import type { RouterError } from '../../core/errors.ts';
import type { MemberPlace } from '../../core/json-measure.ts';
import type { ChatBody, CompletionBody, Endpoint, FinishReason, Usage } from '../../core/openai.ts';
import type { EngineDescription, ReportedLoad } from '../engines/engine.ts';
import { type Failure, failureText } from '../engines/failure.ts';

export type { EngineDescription, ReportedLoad } from '../engines/engine.ts';
export { failureFrom } from '../engines/failure.ts';

export type ExpertRequest = ExpertRequestBase &
  (
    | { readonly endpoint: Extract<Endpoint, 'chat'>; readonly json: ChatBody }
    | { readonly endpoint: Extract<Endpoint, 'completions'>; readonly json: CompletionBody }
  );

interface ExpertRequestBase {
  /** The body exactly as the client sent it; experts that speak OpenAI forward these bytes. */
  readonly body: Uint8Array;
  /** The body with whole surrogate pairs only, every byte in its place, where that is known. */
  readonly withoutHalves?: Buffer;
  /** Where the body's top-level members stand, where that is known. */
  readonly members?: readonly MemberPlace[];
  /** `json` has only limits and flags, because the body has very many values; the bytes have all. */
  readonly partial?: boolean;
  /** Client headers that passed the allow-list, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
}

/** How a reply ended: what the expert said of it, never what we guess. */
export interface Outcome {
  readonly usage: Usage | 'unknown';
  readonly finishReason: FinishReason | 'unknown';
}

/**
 * Where a reply goes. Calls come in the order `head data* (end | fail)`; `fail` may also come first.
 * After `end`, `fail` or a cancelled generation, nothing more is called.
 */
export interface ReplySink {
  /** Status and headers (lower-case, already through the allow-list). Called once. */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /**
   * A piece of the body. The bytes belong to the sink from now on: an expert never reuses a buffer it handed
   * over. False asks the expert to pause until `Generation.resume` is called.
   */
  data(chunk: Uint8Array): boolean;
  end(outcome: Outcome): void;
  fail(error: RouterError): void;
}

/** A running generation, seen from the side that reads it. Both calls are harmless after the end. */
export interface Generation {
  resume(): void;
  /** The reader is gone: stop working on it now. No sink method is called afterwards. */
  cancel(): void;
}

export type Health =
  | { readonly state: 'ready'; readonly detail?: string }
  | { readonly state: 'warming'; readonly detail: string }
  | { readonly state: 'down'; readonly failure: Failure };

/** What a state of health says beyond its name; empty where it says nothing. */
export function healthText(health: Health): string {
  return health.state === 'down' ? failureText(health.failure) : (health.detail ?? '');
}

export interface Expert {
  readonly id: string;
  readonly kind: string;
  /** Starts at once and returns before the first sink call. */
  generate(request: ExpertRequest, sink: ReplySink): Generation;
  health(signal: AbortSignal): Promise<Health>;
  /**
   * Absent where the engine never reports its load, null where this one does not. Rejects when it cannot be read this
   * time, with a message that says why.
   */
  reportedLoad?(signal: AbortSignal): Promise<ReportedLoad | null>;
  /** Absent where there is no engine apart from us. Rejects when it cannot be reached. */
  describe?(signal: AbortSignal): Promise<EngineDescription>;
  close(): Promise<void>;
}
