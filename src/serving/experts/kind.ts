/**
 * What a kind of expert brings to the registry: a name, the schema of its options, and a way to make one. Everything
 * from the outside world comes in through `ExpertDeps`.
 */
import type { z } from 'zod';
import type { Expert } from './expert.ts';

/** Where long work at creation (downloads, loading weights) reports to; `cli/progress.ts` satisfies it. */
export interface ProgressLine {
  update(done: number, total?: number, note?: string): void;
  finish(note?: string): void;
}

/** Opens a progress line; the top layer decides whether it becomes a bar, a log line or nothing. */
export type OpenProgress = (label: string, unit: 'bytes' | 'items') => ProgressLine;

/** What the world below `cli/` may not reach for by itself. */
export interface ExpertDeps {
  /** The user's cache folder, already resolved; kinds keep large downloads below it. */
  readonly cacheFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A fresh id such as `chatcmpl-8f…`; the prefix names what it is for. */
  newId(prefix: string): string;
  /** Epoch milliseconds. */
  now(): number;
  readonly progress?: OpenProgress;
  /** One line for the operator's log. Never carries prompts or keys. */
  log(line: string): void;
  /** Gives up a creation that is still fetching. */
  readonly signal?: AbortSignal;
}

export interface ExpertKind<O> {
  readonly kind: string;
  /** One line for `--help` and the docs. */
  readonly summary: string;
  /** Strict: an unknown option is an error. The config schema is derived from it. */
  readonly options: z.ZodType<O>;
  /** Options that are paths: in a config they are meant from where the config lies. */
  readonly paths?: readonly string[];
  /** Whether it computes inside this process; then a second worker would be a second copy of it all. */
  readonly inProcess: boolean;
  /** What suits its engines where the config says nothing. */
  readonly admission: {
    /** Requests one replica may hold at once; Infinity where the engine itself keeps the queue. */
    readonly maxConcurrent: number;
    /** Milliseconds a stream may take to its first byte before another expert is tried. */
    readonly firstTokenMs: number;
  };
  /** One entry a replica, each with options for `create`; absent for kinds that have just one. */
  replicas?(options: O): readonly { readonly name: string; readonly weight: number; readonly options: O }[];
  /** Makes one replica. Rejects with `UserError` (cause and cure) when it cannot be had. */
  create(id: string, options: O, deps: ExpertDeps): Promise<Expert>;
}
