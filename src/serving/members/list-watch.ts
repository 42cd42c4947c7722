/**
 * What a Kubernetes API server has of one kind of object, by list and watch: one list, then every change from its version on.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeError } from '../../core/errors.ts';
import { ApiError, ApiServer } from './api-server.ts';
import type { Source, Surroundings } from './source.ts';

export interface ListWatchOptions<Item> {
  /** `discovery.k8s.io/v1`, or `v1` for Kubernetes' own oldest. */
  readonly group: string;
  /** In the plural. */
  readonly resource: string;
  /** What of it, in words: "EndpointSlices of Service 'vllm'". */
  readonly what: string;
  /** The pod's own when absent. */
  readonly namespace?: string | undefined;
  /** `labelSelector` or `fieldSelector`. */
  readonly selector: Readonly<Record<string, string>>;
  /** Folder with `token`, `ca.crt` and `namespace`. */
  readonly credentials: string;
  /** One that makes no sense is left out, and what was known of it with it. */
  readonly schema: z.ZodType<Item>;
  /** What is wrong with all that there is; null for nothing. */
  problem(items: readonly Item[]): string | null;
}

export interface ListWatchSurroundings<Item>
  extends Pick<Surroundings, 'trouble' | 'environment' | 'random'> {
  /** Told all that there are, whenever that may have changed. Not called after `close`. */
  tell(items: readonly Item[]): void;
}

/** Changes are told together, at most this often: a rollout or a failing node changes many objects at once. */
const SETTLE_MS = 200;
/** The server ends a watch after so long; one that it does not end is cut a little later, since the cable may be. */
const WATCH_SECONDS = 120;
const CUT_AFTER_MS = (WATCH_SECONDS + 15) * 1000;
const PAGE = 500;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A watch that lasted so long was no failure, though nothing happened in it. */
const LASTED_MS = 1_000;
const GONE = 410;

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().nullish() }),
  items: z.array(z.unknown()).nullish(),
});
const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const statusSchema = z.object({ code: z.number().nullish(), message: z.string().nullish() });

export class ListWatch<Item> implements Source {
  readonly #options: ListWatchOptions<Item>;
  readonly #around: ListWatchSurroundings<Item>;
  readonly #end = new AbortController();
  readonly #items = new Map<string, Item>();
  /** Of the last change seen; null when only a list can tell what is so. */
  #version: string | null = null;
  #telling: NodeJS.Timeout | null = null;
  /** Without a sign of the server. */
  #failures = 0;

  /** Begins at once. */
  constructor(options: ListWatchOptions<Item>, around: ListWatchSurroundings<Item>) {
    this.#options = options;
    this.#around = around;
    void this.#run();
  }

  close(): void {
    this.#end.abort();
    if (this.#telling) clearTimeout(this.#telling);
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        await this.#listAndWatch();
        this.#failures = performance.now() - began >= LASTED_MS ? 0 : this.#failures + 1;
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        if (error instanceof ApiError && error.status === GONE) this.#version = null;
        else this.#around.trouble(this.#inWords(error));
      }
      await sleep(this.#pause(), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  #pause(): number {
    if (this.#failures === 0) return 0;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    return pause * (1 + this.#around.random() / 4);
  }

  async #listAndWatch(): Promise<void> {
    const { environment } = this.#around;
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
    if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set, so this is no pod');
    const { credentials, group, resource } = this.#options;
    const namespace = this.#options.namespace ?? (await ownNamespace(credentials));
    const server = new ApiServer({ host, port, credentials });
    const root = group.includes('/') ? `/apis/${group}` : `/api/${group}`;
    const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
    if (this.#version === null) await this.#list(server, path);
    await this.#watch(server, path);
  }

  async #list(server: ApiServer, path: string): Promise<void> {
    const items = new Map<string, Item>();
    let next: string | null = null;
    let version: string;
    do {
      const query = this.#query({ limit: `${PAGE}`, ...(next === null ? {} : { continue: next }) });
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(CUT_AFTER_MS)]);
      const { metadata, items: page } = listSchema.parse(await server.json(`${path}?${query}`, signal));
      for (const item of page ?? []) this.#keep(items, item);
      version = metadata.resourceVersion;
      next = metadata.continue || null;
    } while (next !== null);
    this.#items.clear();
    for (const [name, item] of items) this.#items.set(name, item);
    this.#version = version;
    this.#heard();
    this.#tell();
  }

  async #watch(server: ApiServer, path: string): Promise<void> {
    const query = this.#query({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version!,
      timeoutSeconds: `${WATCH_SECONDS}`,
    });
    const cut = AbortSignal.timeout(CUT_AFTER_MS);
    try {
      for await (const line of server.lines(`${path}?${query}`, AbortSignal.any([this.#end.signal, cut])))
        this.#take(eventSchema.parse(line));
    } catch (error) {
      if (!cut.aborted) throw error;
    }
  }

  /** @throws ApiError for an event that ends the watch */
  #take({ type, object }: z.infer<typeof eventSchema>): void {
    if (type === 'ERROR') {
      const { code, message } = statusSchema.parse(object);
      throw new ApiError(code ?? 500, message ?? 'the watch ended');
    }
    this.#version = bookmarkSchema.parse(object).metadata.resourceVersion;
    this.#heard();
    if (type === 'BOOKMARK') return;
    if (type === 'DELETED') this.#items.delete(nameOf(object));
    else this.#keep(this.#items, object);
    this.#telling ??= setTimeout(() => this.#tell(), SETTLE_MS).unref();
  }

  #keep(items: Map<string, Item>, item: unknown): void {
    const read = this.#options.schema.safeParse(item);
    if (read.success) items.set(nameOf(item), read.data);
    else items.delete(nameOf(item));
  }

  #heard(): void {
    this.#failures = 0;
    this.#around.trouble(this.#options.problem([...this.#items.values()]));
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    const items = [...this.#items.values()];
    this.#around.trouble(this.#options.problem(items));
    this.#around.tell(items);
  }

  #query(parameters: Readonly<Record<string, string>>): URLSearchParams {
    return new URLSearchParams({ ...this.#options.selector, ...parameters });
  }

  #inWords(error: unknown): string {
    const { what, resource, group } = this.#options;
    const said = `${what} cannot be watched: ${describeError(error)}`;
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 401)) return said;
    const where = group.includes('/') ? ` in ${group.split('/')[0]}` : '';
    return `${said}; the pod's service account needs a Role that allows list and watch of ${resource}${where}`;
  }
}

function nameOf(item: unknown): string {
  return (item as { metadata?: { name?: string } } | null)?.metadata?.name ?? '';
}

async function ownNamespace(credentials: string): Promise<string> {
  return (await readFile(join(credentials, 'namespace'), 'utf8')).trim();
}
