/**
 * The pods behind a Service, by list and watch of its EndpointSlices: one list, then every change from its version on.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeError } from '../../core/errors.ts';
import { ApiError, ApiServer } from './api-server.ts';
import { portProblem, readyAddresses, type Slice, sliceSchema } from './slices.ts';
import type { Source, Surroundings } from './source.ts';

export interface KubernetesOptions {
  readonly service: string;
  readonly namespace?: string | undefined;
  readonly port?: number | string | undefined;
  readonly credentials: string;
}

/** Changes are told together, at most this often: a rollout or a failing node changes many slices at once. */
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

export function watchKubernetes(options: KubernetesOptions, around: Surroundings): Source {
  const watch = new SliceWatch(options, around);
  void watch.run();
  return watch;
}

class SliceWatch implements Source {
  readonly #options: KubernetesOptions;
  readonly #around: Surroundings;
  readonly #end = new AbortController();
  readonly #slices = new Map<string, Slice>();
  /** Of the last change seen; null when only a list can tell what is so. */
  #version: string | null = null;
  #telling: NodeJS.Timeout | null = null;
  /** Without a sign of the server. */
  #failures = 0;

  constructor(options: KubernetesOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  close(): void {
    this.#end.abort();
    if (this.#telling) clearTimeout(this.#telling);
  }

  async run(): Promise<void> {
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
    const { credentials } = this.#options;
    const namespace = this.#options.namespace ?? (await ownNamespace(credentials));
    const server = new ApiServer({ host, port, credentials });
    const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
    if (this.#version === null) await this.#list(server, path);
    await this.#watch(server, path);
  }

  async #list(server: ApiServer, path: string): Promise<void> {
    const slices = new Map<string, Slice>();
    let next: string | null = null;
    let version: string;
    do {
      const query = this.#query({ limit: `${PAGE}`, ...(next === null ? {} : { continue: next }) });
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(CUT_AFTER_MS)]);
      const { metadata, items } = listSchema.parse(await server.json(`${path}?${query}`, signal));
      for (const item of items ?? []) keep(slices, item);
      version = metadata.resourceVersion;
      next = metadata.continue || null;
    } while (next !== null);
    this.#slices.clear();
    for (const [name, slice] of slices) this.#slices.set(name, slice);
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
    if (type === 'DELETED') this.#slices.delete(nameOf(object));
    else keep(this.#slices, object);
    this.#telling ??= setTimeout(() => this.#tell(), SETTLE_MS).unref();
  }

  #heard(): void {
    this.#failures = 0;
    this.#around.trouble(this.#portProblem());
  }

  #portProblem(): string | null {
    const problem = portProblem(this.#slices.values(), this.#options.port);
    return problem && `Service '${this.#options.service}': ${problem}.`;
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    this.#around.trouble(this.#portProblem());
    this.#around.tell(readyAddresses(this.#slices.values(), this.#options.port));
  }

  #query(parameters: Readonly<Record<string, string>>): URLSearchParams {
    const labelSelector = `kubernetes.io/service-name=${this.#options.service}`;
    return new URLSearchParams({ labelSelector, ...parameters });
  }

  #inWords(error: unknown): string {
    const what = `EndpointSlices of Service '${this.#options.service}' cannot be watched: ${describeError(error)}`;
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 401)) return what;
    return `${what}; the pod's service account needs a Role that allows list and watch of endpointslices in discovery.k8s.io`;
  }
}

/** One that makes no sense is left out, and what was known of it with it. */
function keep(slices: Map<string, Slice>, item: unknown): void {
  const read = sliceSchema.safeParse(item);
  if (read.success) slices.set(read.data.metadata.name, read.data);
  else slices.delete(nameOf(item));
}

function nameOf(item: unknown): string {
  return (item as { metadata?: { name?: string } } | null)?.metadata?.name ?? '';
}

async function ownNamespace(credentials: string): Promise<string> {
  return (await readFile(join(credentials, 'namespace'), 'utf8')).trim();
}
