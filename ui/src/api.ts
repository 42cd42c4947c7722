/** What the page asks its server for. All of it is below `/ui/api/`, where the session's cookie goes. */
import type { SpillCause } from '../../src/deciding/routing/decide.ts';
import type { WhatIfAnswer } from '../../src/replaying/what-if.ts';
import type { ReportFile } from '../../src/serving/board/reports.ts';
import type { WhatIfOptions } from '../../src/serving/board/what-if.ts';
import type { Layout, Row, Viewer } from '../../src/serving/board/wire.ts';
import type { RetrainingBody } from '../../src/serving/front/operator.ts';
import type { ShadowCounts } from '../../src/serving/gateway/shadow.ts';
import { words } from './words/index.ts';

/** Told in the reader's language, as far as that knows the error. */
export class Refused extends Error {
  readonly code: string | null;

  constructor(status: number, error: { readonly message?: string; readonly code?: string } | undefined) {
    const { error: inWords, errors } = words();
    const told = (errors as Readonly<Record<string, string>>)[error?.code ?? ''];
    super(inWords(told, error?.message ?? `HTTP ${status}`));
    this.code = error?.code ?? null;
  }
}

export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`/ui/api/${path}`, { ...init, credentials: 'same-origin' });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { error?: object } | null;
  throw new Refused(response.status, body?.error);
}

async function get<T>(path: string): Promise<T> {
  return (await call(path)).json() as Promise<T>;
}

export function post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string>) };
  return call(path, { ...init, method: 'POST', headers, body: JSON.stringify(body) });
}

export const stream = (signal: AbortSignal): Promise<Response> => call('stream', { signal });
export const viewer = (): Promise<Viewer> => get('viewer');
export const layout = (): Promise<Layout> => get('layout');
export const requests = (): Promise<readonly Row[]> => get('requests');
export const trace = (id: string): Promise<readonly Row[]> => get(`trace/${id}`);
export const experts = async (): Promise<readonly ExpertState[]> =>
  (await get<{ data: ExpertState[] }>('experts')).data;

export const reports = (): Promise<{ readonly dir: boolean; readonly data: readonly ReportFile[] }> =>
  get('reports');
export const whatIfOptions = (): Promise<WhatIfOptions> => get('what-if');
export const whatIf = async (asked: unknown): Promise<WhatIfAnswer> =>
  (await post('what-if', asked)).json() as Promise<WhatIfAnswer>;

export const retraining = (): Promise<RetrainingBody> => get('retraining');
/** Null where there is no shadow model. */
export const shadow = (): Promise<ShadowCounts | null> => get('shadow');

/** @param replica its name; null for the whole expert */
export const drain = (verb: 'drain' | 'resume', expert: string, replica: string | null): Promise<Response> =>
  post(`${verb}/${encodeURIComponent(expert)}`, replica === null ? {} : { replica });
export const reload = async (): Promise<{ readonly experts: readonly string[] }> =>
  (await post('reload', {})).json();

/** As `GET /v1/experts` has it. */
export interface ExpertState {
  readonly id: string;
  readonly available: boolean;
  readonly drained: boolean;
  readonly in_flight: number;
  readonly queued: number;
  readonly tokens_per_second: number;
  readonly replicas: readonly {
    readonly name: string;
    readonly kind: string;
    readonly health: { readonly state: 'ready' | 'warming' | 'down'; readonly detail?: string };
    readonly drained: boolean;
    readonly breaker: 'closed' | 'open' | 'half-open';
    readonly in_flight: number;
    readonly limit: number | null;
    readonly tokens_per_second: number;
    readonly engine: { readonly name: string; readonly version: string | null } | null;
    readonly reported: {
      readonly state: string;
      readonly running: number | null;
      readonly waiting: number | null;
      readonly kv_cache_use: number | null;
    };
  }[];
}

/** As `POST /v1/route` answers. */
export interface RouteAnswer {
  readonly expert: string;
  readonly home: string;
  readonly reason: string;
  /** Absent where it was not spilled. */
  readonly spilled_for?: SpillCause;
  readonly cluster: number;
  readonly cluster_name: string;
  readonly confidence: number;
  readonly outside: boolean;
  readonly distances: readonly number[];
  readonly ranking: readonly {
    readonly expert: string;
    readonly affinity: number;
    readonly distance: number | null;
    /** Seconds; absent where the client chose. */
    readonly cost?: Cost;
  }[];
  readonly terms: {
    readonly for: readonly Term[];
    readonly against: readonly Term[];
    /** The two experts between which these words decided; absent where something else did. */
    readonly expert?: string;
    readonly rival?: string;
  };
  readonly text: string;
  readonly unread_parts: number;
}

export interface Cost {
  readonly fit: number;
  readonly wait: number;
  readonly load: number;
  readonly prefill: number;
  readonly total: number;
}

export interface Term {
  readonly term: string;
  readonly weight: number;
}
