/**
 * A kind of expert: its name, the schema of its options, and how one is created. Time, ids, files and logging come in
 * through `ExpertDeps`.
 */
import type { z } from 'zod';
import type { Discover } from './discover-option.ts';
import type { Expert } from './expert.ts';
import type { TrustFiles } from './trust.ts';

/** Reports the progress of slow creations, such as downloads and loading weights. */
export interface ProgressLine {
  update(done: number, total?: number, note?: string): void;
  finish(note?: string): void;
}

/** Opens a progress line, which the program shows as a bar, as log lines or not at all. */
export type OpenProgress = (label: string, unit: 'bytes' | 'items') => ProgressLine;

/** What a kind needs of the program that it runs in. */
export interface ExpertDeps {
  /** The user's cache folder, already resolved; kinds keep large downloads below it. */
  readonly cacheFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A fresh id with this prefix, such as `chatcmpl-8f…`. */
  newId(prefix: string): string;
  /** Epoch milliseconds. */
  now(): number;
  readonly progress?: OpenProgress;
  /** One line for the operator's log. Never carries prompts or keys. */
  log(line: string): void;
  /** Somebody loads its model when it is needed (`start: engine`): it is not there until then. */
  readonly loadedWhenNeeded?: boolean;
  /** Cancels a creation. */
  readonly signal?: AbortSignal;
}

/** The servers of an expert, one a replica, and how to reach them. Times in milliseconds. */
export interface Upstream {
  readonly servers: readonly { readonly url: URL; readonly weight: number }[];
  readonly connectTimeout: number;
  /** Longest silence, before the answer and within it. */
  readonly silence: number;
  readonly trust: TrustFiles;
}

export interface ExpertKind<O> {
  readonly kind: string;
  /** One line for `--help` and the docs. */
  readonly summary: string;
  /** Strict: an unknown option is an error. The config schema is derived from it. */
  readonly options: z.ZodType<O>;
  /** Options that are paths, relative to the config's folder. */
  readonly paths?: readonly string[];
  /** Whether it computes in this process, so that every worker would hold a copy. */
  readonly inProcess: boolean;
  /** Defaults that suit its engines. */
  readonly admission: {
    /** Requests one replica may hold at once; Infinity where the engine itself keeps the queue. */
    readonly maxConcurrent: number;
    /** Milliseconds a stream may take to its first byte before another expert is tried. */
    readonly firstTokenMs: number;
  };
  /** What is wrong with options that are each right by itself; null for nothing. */
  objection?(options: O): { readonly option: string; readonly message: string } | null;
  /** Where its replicas are found while it serves; null where its options list them, absent where they always do. */
  discover?(options: O): Discover | null;
  /** The options of a replica found at this address; there where `discover` is. */
  at?(options: O, url: string): O;
  /** One entry per replica, with its options for `create`; absent for kinds with a single replica. */
  replicas?(options: O): readonly { readonly name: string; readonly weight: number; readonly options: O }[];
  /** Its servers, for a proxy that carries the bytes in our place; null where none could, absent for kinds where none can. */
  upstream?(options: O): Upstream | null;
  /** Creates one replica. Rejects with a `UserError` that names cause and cure. */
  create(id: string, options: O, deps: ExpertDeps): Promise<Expert>;
}
