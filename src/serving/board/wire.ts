/** What the dashboard is sent, as JSON. Nothing here holds a word of a prompt or an answer. */
import type { Role } from '../../core/roles.ts';
import type { SpillCause } from '../../deciding/routing/decide.ts';
import type { TriedReplica } from '../front/request-note.ts';
import type { ShadowCounts } from '../gateway/shadow.ts';
import type { Bins } from './bins.ts';

/** What is added up for an expert in a second; times in milliseconds, tokens as experts reported them. */
export const TALLY = [
  /** Requests it was chosen for. */
  'chosen',
  /** Requests it ended, or that ended with nobody else to name. */
  'ended',
  'failed',
  /** The client left before the end. */
  'left',
  /** Answered for another expert's prompt. */
  'spilled',
  'retries',
  'hedges',
  'input',
  /** Of the input, that of answers which tell how much of it was cached; and how much that was. */
  'cacheTold',
  'cached',
  'output',
  /** Millionths of a dollar, of those with a price; and how many reported tokens without having one. */
  'microUsd',
  'unpriced',
  /** Of the requests whose wait for a slot is known: how many, what was expected, what it was. */
  'waits',
  'expectedMs',
  'waitedMs',
  /** Of the answers that began: how many, and the sum of their times to first token. */
  'firsts',
  'firstMs',
] as const;

export type Tally = Record<(typeof TALLY)[number], number>;
/** The values of `TALLY`, in its order. */
export type PackedTally = readonly number[];

export interface Second {
  /** Seconds since 1970. */
  readonly at: number;
  readonly experts: Readonly<Record<string, PackedTally>>;
  /** In flight and waiting here, at its end; experts with neither are left out. */
  readonly load: Readonly<Record<string, readonly [inFlight: number, queued: number]>>;
  /** Requests by cluster. */
  readonly clusters: Readonly<Record<number, number>>;
  readonly outside: number;
  /** Requests that reached no choice: refused, or not understood. */
  readonly refused: number;
  /** Time to first token. */
  readonly first: Bins;
  /** Time per output token after the first. */
  readonly perToken: Bins;
}

export interface BoardEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'down' | 'up' | 'drained' | 'resumed' | 'reload' | 'model' | 'scaled' | 'drift' | 'moved';
  /** An expert, one of its replicas where they were drained or resumed alone, or the id of a router model. */
  readonly what: string;
  /** Replicas before and after, where they have changed. */
  readonly replicas?: readonly [before: number, after: number];
  /** Conversations of ten seconds that were answered elsewhere than where they are cached. */
  readonly moved?: Moved;
}

export interface Moved {
  readonly count: number;
  /** Null where they are not all the same. */
  readonly from: string | null;
  readonly to: string | null;
  /** Tokens of their prompts that were not cached where they went, as far as engines tell; null where none does. */
  readonly reread: number | null;
}

/** A prompt on the map: who was chosen, whether it is away from home, and its nearest clusters with their distances. */
export type Dot = readonly [expert: string, away: 0 | 1, ...near: number[]];

export interface ExpertNow {
  readonly inFlight: number;
  readonly queued: number;
  readonly available: boolean;
  /** Operators have taken all of it out of service. */
  readonly drained: boolean;
  /** Replicas in all, and those whose breaker is not closed. */
  readonly replicas: number;
  readonly broken: number;
  /** Until a request that comes now would start. */
  readonly expectedMs: number;
  /** Share of the engines' KV cache in use, the fullest replica; null where none tells. */
  readonly cache: number | null;
}

/** What a watcher gets every second. */
export interface Frame {
  /** Changes with an upgrade of the program. */
  readonly build: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly seconds: readonly Second[];
  readonly dots: readonly Dot[];
  readonly events: readonly BoardEvent[];
  readonly experts: Readonly<Record<string, ExpertNow>>;
  /** Id of the layout in force. */
  readonly layout: string;
}

/** One request, running or ended. Times in milliseconds; from its head, where not said otherwise. */
export interface Row {
  readonly trace: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly running: boolean;
  readonly stream: boolean;
  /** The expert that had the conversation cached; null at its beginning, and where nobody knows. */
  readonly livedAt: string | null;
  readonly key: string | null;
  readonly path: string | null;
  readonly status: number | null;
  readonly whole: boolean;
  readonly error: string | null;
  readonly tries: number;
  readonly asked: readonly TriedReplica[];
  readonly expert: string | null;
  readonly replica: string | null;
  readonly input: number | null;
  readonly cached: number | null;
  readonly output: number | null;
  /** Dollars; null where tokens or price are not known. */
  readonly usd: number | null;
  readonly decidedMs: number | null;
  /** Until a replica would be asked, as expected when the expert was chosen. */
  readonly expectedMs: number | null;
  readonly firstMs: number | null;
  readonly totalMs: number;
  /** Null where nothing was chosen. */
  readonly choice: Choice | null;
}

export interface Choice {
  /** Chosen first. */
  readonly expert: string;
  readonly home: string;
  readonly reason: string;
  /** Null where it was not spilled. */
  readonly spilledFor: SpillCause | null;
  /** Nothing ran of the chosen expert: it had to be started first. */
  readonly cold: boolean;
  readonly cluster: number;
  readonly clusterName: string;
  /** The expert that serves this cluster, where nothing that a prompt says speaks for another; null for none. */
  readonly owner: string | null;
  readonly confidence: number;
  readonly outside: boolean;
  /** The nearest clusters, with their distances. */
  readonly near: readonly (readonly [cluster: number, distance: number])[];
  /** The best experts in the order of the ranking, with their affinity. */
  readonly ranking: readonly (readonly [expert: string, affinity: number])[];
  /** Equal for the turns of one conversation; null for none. */
  readonly conversation: string | null;
}

export interface Cluster {
  readonly name: string;
  readonly words: readonly string[];
  /** Training prompts. */
  readonly size: number;
  /** Id of the expert that serves it. */
  readonly owner: string;
  /** On the map, −1 to 1. */
  readonly x: number;
  readonly y: number;
}

/** What changes with a reload alone. */
export interface Layout {
  /** Another one where anything of it is another. */
  readonly id: string;
  readonly model: {
    readonly id: string;
    readonly embedding: string;
    readonly dimensions: number;
    readonly prompts: number;
    readonly facts: Readonly<Record<string, string | number>>;
  };
  readonly clusters: readonly Cluster[];
  readonly experts: readonly {
    readonly id: string;
    readonly kind: string;
    readonly fallback: boolean;
    /** What it is for, in the config's words; null where it says nothing. */
    readonly about: string | null;
    /** Dollars: for a million tokens, and for a GPU hour; null where it has no such price. */
    readonly price: {
      readonly input: number | null;
      readonly output: number | null;
      readonly per_gpu_hour: number | null;
    } | null;
  }[];
}

export interface History {
  readonly seconds: readonly Second[];
  readonly events: readonly BoardEvent[];
}

/** Who is looking. */
export interface Viewer {
  /** Whether a key must be given first. */
  readonly login: boolean;
  readonly name: string | null;
  readonly roles: readonly Role[];
  readonly version: string;
}

/** What one process is asked for, and its answer. */
export type Question =
  | { readonly kind: 'since'; readonly second: number }
  | { readonly kind: 'history' }
  | { readonly kind: 'requests'; readonly most: number }
  | { readonly kind: 'trace'; readonly id: string }
  | { readonly kind: 'shadow' };

export interface Told extends History {
  readonly dots: readonly Dot[];
  readonly rows: readonly Row[];
  /** Null where there is no shadow model. */
  readonly shadow: ShadowCounts | null;
}
