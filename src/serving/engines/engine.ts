/** The facts of an engine, as `index.ts` lists them, and what a running one reports. */
import type { Modality } from '../dialects/ask.ts';
import type { DialectId } from '../dialects/index.ts';
import type { Quirks } from '../dialects/quirks.ts';
import type { Answers } from './answers.ts';
import type { EngineFailure } from './failure.ts';

/** APIs for text. `kserve`: KServe's `/v2` with Triton's extensions. */
export type ApiDialect = DialectId | 'kserve';

export type Capability = 'embeddings' | 'rerank';

/** One engine, or one cloud: everything the product knows about it. */
export interface EngineFacts {
  /** Its name in configs: `quirks: vllm`. Lower case, unique. */
  readonly id: string;
  /** Its name for people, unique. */
  readonly name: string;
  /** APIs that a current version serves itself. */
  readonly speaks: readonly ApiDialect[];
  readonly capabilities?: readonly Capability[];
  /** Absent if it looks like any other server with OpenAI's API. */
  readonly signs?: Signs;
  /** Where it tells its context, if its list of models does not. */
  readonly context?: ContextPage;
  /** Where it tells what its model takes and can do; absent for nowhere. */
  readonly traits?: TraitsPage;
  /** Its default ports. */
  readonly ports?: readonly Port[];
  readonly metrics?: Metrics;
  readonly loading?: Loading;
  /** How requests to it must differ from OpenAI's; absent for engines that a config cannot name. */
  readonly quirks?: Quirks;
  readonly cures?: Cures;
  readonly cloud?: Cloud;
  /** Why it is never proposed as an expert. */
  readonly noExpert?: string;
}

/** How its models are loaded and unloaded while it serves. */
export interface Loading {
  /** @param adapter where it finds a LoRA adapter; null for a model of its own. Null for what it does not load */
  load(model: string, adapter: string | null): Call | null;
  unload(model: string, adapter: string | null): Call | null;
  /** Where it tells what is loaded, if its list of models tells what could be. */
  readonly loaded?: LoadedPage;
}

/** A request with JSON, by a path beside its API. */
export interface Call {
  readonly path: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface LoadedPage {
  readonly path: string;
  has(page: Readonly<Record<string, unknown>>, model: string): boolean;
}

export interface ContextPage {
  /** Beside its API. */
  readonly path: string;
  /** Tokens that prompt and answer of one request may have together; null where the page does not tell. */
  of(page: Readonly<Record<string, unknown>>, model: string): number | null;
}

/** A page that describes a model. */
export interface TraitsPage {
  /** Beside its API. */
  readonly path: string;
  /** What is sent, by POST; absent for a page that is got. */
  question?(model: string): Readonly<Record<string, unknown>>;
  of(page: Readonly<Record<string, unknown>>): ModelTraits;
}

/** What an engine says of its model; absent for what it does not say. */
export interface ModelTraits {
  /** What the model takes. */
  readonly takes?: readonly Modality[] | undefined;
  /** Whether it calls tools, can be held to JSON, thinks. */
  readonly tools?: boolean | undefined;
  readonly structured_output?: boolean | undefined;
  readonly thinking?: boolean | undefined;
}

export interface Port {
  readonly port: number;
  readonly protocol: 'http' | 'grpc';
}

/** How an engine is recognised by its answers. The requests change nothing at any server. */
export interface Signs {
  /** Its values of `owned_by` in the list of models. */
  readonly ownedBy?: readonly string[];
  /** Paths below the base that are requested to recognise it, beside `/v1/models`. */
  readonly pages?: readonly string[];
  /** A sign of this engine alone. */
  is?(answers: Answers): boolean;
  /** A weaker sign, which counts if no engine showed a stronger one. */
  maybe?(answers: Answers): boolean;
  version?(answers: Answers): string | null;
  /** Its model, if it does not list models as OpenAI does. */
  model?(answers: Answers): string | null;
}

export interface Metrics {
  /** Metrics pages below its base, most likely first; `portShift` is added to the port. */
  readonly pages: readonly { readonly path: string; readonly portShift?: number }[];
  /** In order of trust: each signal is taken from the first source that has it. */
  readonly load: readonly LoadSource[];
  /** How to turn metrics on. */
  readonly cure: string;
}

export interface LoadSource {
  readonly running: Signal | null;
  readonly waiting: Signal | null;
  readonly kvCacheUse: Signal | null;
  /** The label that names the model; null if samples have none. */
  readonly modelLabel: string | null;
  readonly adapters?: AdapterLabels;
}

/** A metric that tells the LoRA adapters at work in its labels, its value being the time that they were so. */
export interface AdapterLabels {
  readonly name: string;
  /** Labels that list names, separated by commas. */
  readonly lists: readonly string[];
  /** The label with the number of adapters that GPU memory holds at once. */
  readonly slots: string;
}

export interface Signal {
  /** The first name on the page counts: the current one comes before those of older versions. */
  readonly names: readonly string[];
  /** Labels that a sample must have, if one name counts several things. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * How several samples combine: `sum` if they count different requests, `max` if each counts the same ones, `mean` for
   * shares of equal caches.
   */
  readonly over: 'sum' | 'max' | 'mean';
}

export const signal = (over: Signal['over'], ...names: string[]): Signal => ({ names, over });

/** Cures of failures that are particular to this engine. */
export type Cures = Readonly<Partial<Record<EngineFailure['kind'] | `status ${number}`, string>>>;

/** A service that is paid by the token. */
export interface Cloud {
  /** The environment variable that usually holds its key. */
  readonly variable: string;
  /** The kind of expert that speaks to it. */
  readonly kind: 'openai' | 'anthropic';
  readonly url: string;
}

/** The load as the engine counts it, of all its clients; null for what it does not report. */
export interface ReportedLoad {
  /** Requests in its batch. */
  readonly running: number | null;
  /** Requests in its queue. */
  readonly waiting: number | null;
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvCacheUse: number | null;
  /** Absent where it tells none. */
  readonly adapters?: AdaptersAtWork;
}

/** The LoRA adapters that requests use or wait for. */
export interface AdaptersAtWork {
  readonly names: readonly string[];
  /** How many its GPU memory holds at once. */
  readonly slots: number;
}

/** What the engine behind an expert says of itself. */
export interface EngineDescription {
  /** Such as `vLLM`, `SGLang`, `Triton`. */
  readonly engine: string;
  readonly version: string | null;
  /** The way it is spoken to, if there are several. */
  readonly dialect: string | null;
  /** The quirks that apply to its requests. */
  readonly quirks?: string;
  /** Names of the models that it serves. */
  readonly models: readonly string[];
  /** Where its load is read; null for nowhere. */
  readonly metrics: string | null;
}
