/** What answers at a path, and what it has at hand. */
import type { RouterError } from '../../core/errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Routed } from '../gateway/router.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { HashedKey } from './auth.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import type { FeedbackBody } from './feedback.ts';
import type { Operations } from './operator.ts';
import type { Readiness } from './readiness.ts';
import type { Redaction } from './redaction.ts';
import type { OpenNote } from './request-note.ts';

export interface RouteContext {
  readonly gateway: Gateway;
  /** The Prometheus page and its content type. */
  metrics(): Promise<{ readonly contentType: string; readonly page: string }>;
  /** Of keys with limits; null where none has any. */
  readonly limiter: Limiter | null;
  readonly readiness: Readiness;
  /** Of what clients without the role `operate` must not read. */
  readonly redaction: Redaction;
  readonly maxBodyMb: number;
  /** Whether answers name their model as the client did. */
  readonly namesAsAsked: boolean;
  /** Clients' headers that experts get besides the usual ones. */
  readonly forwarded: ReadonlySet<string>;
  /** Epoch seconds at which this router started. */
  readonly startedAt: number;
  /** Called once per answered request, for a log that holds no prompt. */
  onRouted(routed: Routed, note: OpenNote): void;
  /** Keeps feedback; null where no records are kept. */
  readonly feedback: ((feedback: FeedbackBody & { readonly key: string | null }) => void) | null;
  /** What those with the role `operate` may do. */
  readonly operations: Operations;
  /** What serves here, and the other processes that share hints. */
  gateways(): Gateways;
  /** The dashboard; null where it is off. */
  readonly board: { answer(exchange: Exchange): Promise<void> } | null;
}

export interface Gateways {
  /** Digests: of the config, and of the router model. */
  readonly config: string;
  readonly routerModel: string;
  readonly peers: readonly {
    readonly from: string;
    readonly config: string;
    readonly routerModel: string;
    readonly same: boolean;
    readonly secondsAgo: number;
  }[];
}

export interface Exchange {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly traceId: string;
  /** The API key; null where none are configured, and on open paths. */
  readonly caller: HashedKey | null;
  /** Told when the request has ended. */
  readonly note: OpenNote;
  /** The model that the address names, which outranks the body's; absent for none. */
  readonly model?: string | undefined;
  /** How to end the answer when the router ends before it; its connection is cut when absent. */
  onEnd(end: (why: RouterError) => void): void;
}

export type Handler = (context: RouteContext, exchange: Exchange) => Promise<void>;
