/** What is known of an engine: the type of the table in `index.ts`, and what one of them says of itself. */
import type { Endpoint } from '../../core/openai.ts';
import type { Answers } from './answers.ts';
import type { EngineFailure } from './failure.ts';

/** APIs for text. `kserve`: KServe's `/v2` with Triton's extensions. */
export type ApiDialect =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'kserve';

export type Capability = 'embeddings' | 'rerank' | 'count-tokens';

/** One engine, or one cloud: everything the product knows about it. */
export interface EngineFacts {
  /** Its name in configs: `quirks: vllm`. Lower case, unique. */
  readonly id: string;
  /** Its name for people, unique. */
  readonly name: string;
  /** APIs it speaks of its own, in a current version. */
  readonly speaks: readonly ApiDialect[];
  readonly capabilities?: readonly Capability[];
  /** Absent where it cannot be told from any other server with OpenAI's API. */
  readonly signs?: Signs;
  /** Where it listens unless told otherwise. */
  readonly ports?: readonly Port[];
  readonly metrics?: Metrics;
  /** How requests to it must differ from OpenAI's; absent for one that is never chosen by name. */
  readonly quirks?: Quirks;
  readonly cures?: Cures;
  readonly cloud?: Cloud;
  /** Why it is never proposed as an expert. */
  readonly noExpert?: string;
}

export interface Port {
  readonly port: number;
  readonly protocol: 'http' | 'grpc';
}

/** How an engine is told from others by what it answers. Asking changes nothing at any server. */
export interface Signs {
  /** Its values of `owned_by` in the list of models. */
  readonly ownedBy?: readonly string[];
  /** What is asked of an unknown address for its sake, beside `/v1/models`: paths below the base. */
  readonly pages?: readonly string[];
  /** A sign that no other engine gives. */
  is?(answers: Answers): boolean;
  /** A weaker sign, which counts where nobody gave one of the others. */
  maybe?(answers: Answers): boolean;
  version?(answers: Answers): string | null;
  /** Its model, where it has no list of OpenAI's form. */
  model?(answers: Answers): string | null;
}

export interface Metrics {
  /** Pages of metrics below its base, most likely first; `portShift` where they have a port of their own. */
  readonly pages: readonly { readonly path: string; readonly portShift?: number }[];
  /** In order of trust: for each signal the first source that tells it counts. */
  readonly load: readonly LoadSource[];
  /** How to have metrics where there are none. */
  readonly cure: string;
}

export interface LoadSource {
  readonly running: Signal | null;
  readonly waiting: Signal | null;
  readonly kvCacheUse: Signal | null;
  /** The label that names the model, or null where samples are not told apart by it. */
  readonly modelLabel: string | null;
}

export interface Signal {
  /** The first that the page has counts: the present name before those of older versions. */
  readonly names: readonly string[];
  /** Labels a sample must have, where one name counts several things. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Over several samples: `sum` of what stand for different requests, `max` of what report the same requests each,
   * `mean` of shares of equal caches.
   */
  readonly over: 'sum' | 'max' | 'mean';
}

export const signal = (over: Signal['over'], ...names: string[]): Signal => ({ names, over });

export interface Quirks {
  /** The one field that limits a chat's answer, where the server does not know both of OpenAI's. */
  readonly limit?: 'max_tokens' | 'max_completion_tokens';
  /** Where answers end after 16 tokens unless told otherwise, though OpenAI's do not (its completions do). */
  readonly cutsAt16?: readonly Endpoint[];
  /** Its JSON reader or tokenizer refuses half surrogate pairs, which others take. */
  readonly refusesHalfSurrogates?: true;
  /** Statuses that mean something else there → the one that says it to everybody else, and to retries. */
  readonly statuses?: Readonly<Record<number, number>>;
}

/** What helps against a failure at this engine, where that is more than what helps at any. */
export type Cures = Readonly<Partial<Record<EngineFailure['kind'] | `status ${number}`, string>>>;

/** A service that is paid by the token. */
export interface Cloud {
  /** The environment variable that usually holds its key. */
  readonly variable: string;
  /** The kind of expert that speaks to it. */
  readonly kind: 'openai' | 'anthropic';
  readonly url: string;
}

/** The load as the engine itself counts it, whoever causes it; null for what it does not say. */
export interface ReportedLoad {
  /** Requests in its batch. */
  readonly running: number | null;
  /** Requests in its queue. */
  readonly waiting: number | null;
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvCacheUse: number | null;
}

/** What the engine behind an expert is, as far as it tells. */
export interface EngineDescription {
  /** Such as `vLLM`, `SGLang`, `Triton`. */
  readonly engine: string;
  readonly version: string | null;
  /** How it is spoken to, where there are several ways. */
  readonly dialect: string | null;
  /** The quirks that requests to it are edited for. */
  readonly quirks?: string;
  /** Models it serves, by the names it takes. */
  readonly models: readonly string[];
  /** Where its load is read, or null when nowhere. */
  readonly metrics: string | null;
}
