/** The interface of every expert: it answers requests, and tells its health, engine and load. */
import type { Ask, Capability } from '../dialects/ask.ts';
import type { DialectId } from '../dialects/index.ts';
import type { EngineDescription, ModelTraits, ReportedLoad } from '../engines/engine.ts';
import { type EngineFailure, failureText } from '../engines/failure.ts';
import type { AnswerSink, Generation } from '../reply/reply.ts';

export { TRAITS, type Trait } from '../dialects/ask.ts';
export type { EngineDescription, ModelTraits, ReportedLoad } from '../engines/engine.ts';
export { failureFrom } from '../engines/failure.ts';
export type { AnswerSink, Generation, Outcome } from '../reply/reply.ts';

export interface ExpertRequest {
  readonly ask: Ask;
  /** Client headers that passed the allow-list, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
  /** The client asks this expert and no other, so that it may refer to what the expert keeps. */
  readonly insisted?: boolean;
}

/** A request as its server gets it, for a proxy that carries the bytes in our place. */
export interface ServerRequest {
  readonly path: string;
  /** Set in place of the client's, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The model's name in the body. */
  readonly model: string;
}

export type Health =
  /** `warning`: why requests may fail all the same, without its first word and full stop. */
  | { readonly state: 'ready'; readonly detail?: string; readonly warning?: string }
  | { readonly state: 'warming'; readonly detail: string }
  | { readonly state: 'down'; readonly failure: EngineFailure };

/** The detail of a state of health; empty for none. */
export function healthText(health: Health): string {
  return health.state === 'down' ? failureText(health.failure) : (health.detail ?? '');
}

export interface Expert {
  readonly id: string;
  readonly kind: string;
  /** Dialects that it relays unchanged. In any other, its answer is a typed reply that the client's dialect writes. */
  readonly speaks: readonly DialectId[];
  /** What may be demanded of its answers in dialects that it does not speak; absent for anything. */
  readonly can?: readonly Capability[];
  /** Tokens that prompt and answer may have together, as its engine last told; absent or null for unknown. */
  readonly context?: number | null;
  /** What its engine told of its model; absent or null for nothing. */
  readonly traits?: ModelTraits | null;
  /** Whether it passes on requests that no dialect reads, to a server that may know them. */
  readonly passes?: boolean;
  /** False for one that answers no text: it is asked only in dialects that it speaks. */
  readonly answersText?: boolean;
  /** Starts at once and returns before the first sink call. The sink gets bytes of the client's dialect. */
  generate(request: ExpertRequest, sink: AnswerSink): Generation;
  /** Where its server is; absent where no proxy could reach it in our place. */
  readonly address?: URL;
  /**
   * The request that its server is to get, in a dialect that it speaks. Absent as `address`.
   * @throws RouterError where `generate` would fail with one before it asks
   */
  asSent?(request: ExpertRequest): ServerRequest;
  health(signal: AbortSignal): Promise<Health>;
  /**
   * Whether the engine answers, found by a small real request (`provedByAsking`). Absent where somebody might bill it, or it would
   * be no news: a server that tells its health may have an engine that does not.
   */
  prove?(signal: AbortSignal): Promise<Health>;
  /**
   * Absent for kinds whose engines never report a load; null if this engine does not. Rejects with the reason if it
   * cannot be read this time.
   */
  reportedLoad?(signal: AbortSignal): Promise<ReportedLoad | null>;
  /** Absent for kinds without an engine of their own. Rejects if it is unreachable. */
  describe?(signal: AbortSignal): Promise<EngineDescription>;
  /** Present for a LoRA adapter; null for a model of its own. */
  readonly adapter?: AdapterState | null;
  /**
   * Loads its model at its server, which runs already; resolves once it is there. Absent for kinds whose servers load nothing
   * on request. Rejects with what the server says, or a `UserError`.
   */
  load?(signal: AbortSignal): Promise<void>;
  /** The opposite. */
  unload?(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface AdapterState {
  /** Whether its engine holds it in GPU memory, as last told; null for unknown. */
  readonly resident: boolean | null;
  /** Milliseconds that loading it is taken for until that has been measured. */
  readonly loadMs: number;
}
