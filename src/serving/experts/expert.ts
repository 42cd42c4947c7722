/** What an expert is to everybody else: something that turns one request into one reply. */
import type { Ask } from '../dialects/ask.ts';
import type { DialectId } from '../dialects/index.ts';
import type { EngineDescription, ReportedLoad } from '../engines/engine.ts';
import { type EngineFailure, failureText } from '../engines/failure.ts';
import type { AnswerSink, Generation } from '../reply/reply.ts';

export type { EngineDescription, ReportedLoad } from '../engines/engine.ts';
export { failureFrom } from '../engines/failure.ts';
export type { AnswerSink, Generation, Outcome } from '../reply/reply.ts';

export interface ExpertRequest {
  readonly ask: Ask;
  /** Client headers that passed the allow-list, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
}

export type Health =
  | { readonly state: 'ready'; readonly detail?: string }
  | { readonly state: 'warming'; readonly detail: string }
  | { readonly state: 'down'; readonly failure: EngineFailure };

/** What a state of health says beyond its name; empty where it says nothing. */
export function healthText(health: Health): string {
  return health.state === 'down' ? failureText(health.failure) : (health.detail ?? '');
}

export interface Expert {
  readonly id: string;
  readonly kind: string;
  /** Dialects whose bytes it relays as they are; what clients ask in any other it answers typed. */
  readonly speaks: readonly DialectId[];
  /** Starts at once and returns before the first sink call. The sink gets bytes of the client's dialect. */
  generate(request: ExpertRequest, sink: AnswerSink): Generation;
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
