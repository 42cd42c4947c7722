/** The engine behind an address with OpenAI's API: what it is, and the load that its metrics tell. */
import { HttpClient, type Trust } from '../../../http/client.ts';
import type { EngineDescription, EngineFacts, ReportedLoad } from '../../engines/engine.ts';
import { FailureError } from '../../engines/failure.ts';
import { metricsAddresses } from '../../engines/load.ts';
import { probe } from '../../engines/probe.ts';
import type { EngineSighting, Sighting } from '../../engines/recognise.ts';
import { readLoad } from '../../engines/scrape.ts';

export interface EngineOptions {
  /** Address of the API. */
  readonly base: URL;
  /** As it is asked for now. */
  model(): string;
  /** Sent to this origin only, since they may carry a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the engine's usual page; false: none. */
  readonly metricsUrl: string | false | null;
  readonly trust: Trust;
}

const PROBE_MS = 2_000;

interface MetricsPage {
  readonly address: URL;
  readonly client: HttpClient;
  readonly engine: EngineFacts | null;
}

export class OpenAiEngine {
  readonly #options: EngineOptions;
  /** The page that reports the load, until reading it fails. */
  #page: MetricsPage | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Rejects with a `FailureError` if no engine answers. */
  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const sighting = await this.#look(signal);
    if (sighting.kind !== 'engine') throw new FailureError(sighting);
    const metrics = await this.#metricsAddress(sighting, signal);
    return {
      engine: sighting.engine?.name ?? "unnamed, with OpenAI's API",
      version: sighting.version,
      dialect: null,
      models: sighting.models,
      metrics: metrics?.href ?? null,
    };
  }

  /** Null for an engine without metrics, and for an https address unless the config names its page. */
  async reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    const { metricsUrl, base } = this.#options;
    if (metricsUrl === false) return null;
    if (metricsUrl !== null) this.#page ??= this.#open(new URL(metricsUrl), null);
    // Clouds get no requests that the config does not ask for.
    else if (base.protocol !== 'http:') return null;
    if (!this.#page) return this.#find(signal);
    try {
      return await this.#read(this.#page, signal);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  close(): void {
    this.#forget();
  }

  #look(signal: AbortSignal): Promise<Sighting> {
    return probe(this.#options.base, {
      within: PROBE_MS,
      headers: this.#options.headers,
      signal,
      trust: this.#options.trust,
    });
  }

  async #find(signal: AbortSignal): Promise<ReportedLoad | null> {
    const sighting = await this.#look(signal);
    if (sighting.kind === 'foreign' || sighting.kind === 'unauthorized') return null;
    if (sighting.kind !== 'engine') throw new FailureError(sighting);
    return (await this.#firstPage(sighting, signal))?.load ?? null;
  }

  async #metricsAddress(sighting: EngineSighting, signal: AbortSignal): Promise<URL | null> {
    const { metricsUrl } = this.#options;
    if (metricsUrl === false) return null;
    if (metricsUrl !== null) return new URL(metricsUrl);
    // A page with unknown metrics is still the page: reading the load reports what is wrong with it.
    const found = await this.#firstPage(sighting, signal).catch(() => null);
    return found?.address ?? null;
  }

  /** Finds and keeps the first of the engine's usual pages that reports a load. Rejects for unknown metric names. */
  async #firstPage(
    { engine }: EngineSighting,
    signal: AbortSignal,
  ): Promise<{ address: URL; load: ReportedLoad } | null> {
    let strange: FailureError | null = null;
    for (const address of metricsAddresses(this.#options.base, engine)) {
      const page = this.#open(address, engine);
      try {
        const load = await this.#read(page, signal);
        this.#forget();
        this.#page = page;
        return { address, load };
      } catch (error) {
        page.client.close();
        if (error instanceof FailureError && error.failure.kind === 'unknown-metrics') strange = error;
      }
    }
    if (strange && engine !== null) throw strange;
    return null;
  }

  #read({ client, address, engine }: MetricsPage, signal: AbortSignal): Promise<ReportedLoad> {
    const { base, headers, model } = this.#options;
    const own = address.origin === base.origin ? headers : {};
    return readLoad({ client, address, engine, model: model(), headers: own }, signal);
  }

  /** Our own certificate is shown to this server alone; its authority is trusted for its metrics as well. */
  #open(address: URL, engine: EngineFacts | null): MetricsPage {
    const { base, trust } = this.#options;
    const limits = { connect: PROBE_MS, head: PROBE_MS, idle: PROBE_MS };
    const own = address.origin === base.origin ? trust : { ca: trust.ca, proxy: trust.proxy };
    return { address, client: new HttpClient(address, limits, own), engine };
  }

  #forget(): void {
    this.#page?.client.close();
    this.#page = null;
  }
}
