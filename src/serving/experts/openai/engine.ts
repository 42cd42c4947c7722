/**
 * The engine behind an address with OpenAI's API: what it is, and the load that its metrics tell. It sends no request
 * for text and knows nothing of replies.
 */

import { HttpClient } from '../../../http/client.ts';
import type { Engine, EngineDescription, ReportedLoad } from '../../engines/engine.ts';
import { metricsAddresses } from '../../engines/habits.ts';
import { probe } from '../../engines/probe.ts';
import type { EngineSighting, Sighting } from '../../engines/recognise.ts';
import { readLoad, ScrapeError } from '../../engines/scrape.ts';

export interface EngineOptions {
  /** Address of the API. */
  readonly base: URL;
  readonly model: string;
  /** Sent to this address and to no other: they may carry a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where its metrics are; null: where its engine has them by habit; false: nowhere. */
  readonly metricsUrl: string | false | null;
}

const PROBE_MS = 2_000;

interface MetricsPage {
  readonly address: URL;
  readonly client: HttpClient;
  readonly engine: Engine | null;
}

export class OpenAiEngine {
  readonly #options: EngineOptions;
  /** The page found to tell a load; forgotten when it no longer does. */
  #page: MetricsPage | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Rejects with what is wrong where no engine answers. */
  async describe(signal: AbortSignal): Promise<EngineDescription> {
    const sighting = await this.#look(signal);
    if (sighting.state !== 'engine') throw new Error(inWords(sighting));
    const metrics = await this.#metricsAddress(sighting, signal);
    return {
      engine: sighting.engine ?? "unnamed, with OpenAI's API",
      version: sighting.version,
      dialect: null,
      models: sighting.models,
      metrics: metrics?.href ?? null,
    };
  }

  /** Null where the engine has no metrics, or is on the far side of TLS and none were named. */
  async reportedLoad(signal: AbortSignal): Promise<ReportedLoad | null> {
    const { metricsUrl, base } = this.#options;
    if (metricsUrl === false) return null;
    if (metricsUrl !== null) this.#page ??= open(new URL(metricsUrl), null);
    // Clouds are asked nothing that nobody ordered.
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
    return probe(this.#options.base, { within: PROBE_MS, headers: this.#options.headers, signal });
  }

  async #find(signal: AbortSignal): Promise<ReportedLoad | null> {
    const sighting = await this.#look(signal);
    if (sighting.state === 'foreign' || sighting.state === 'locked') return null;
    if (sighting.state !== 'engine') throw new Error(inWords(sighting));
    return (await this.#firstPage(sighting, signal))?.load ?? null;
  }

  async #metricsAddress(sighting: EngineSighting, signal: AbortSignal): Promise<URL | null> {
    const { metricsUrl } = this.#options;
    if (metricsUrl === false) return null;
    if (metricsUrl !== null) return new URL(metricsUrl);
    // A page whose metrics nobody knows is the page all the same; reading the load says what is wrong with it.
    const found = await this.#firstPage(sighting, signal).catch(() => null);
    return found?.address ?? null;
  }

  /** The first of the engine's usual pages that tells a load, which is kept. Rejects where one has unknown names. */
  async #firstPage(
    { engine }: EngineSighting,
    signal: AbortSignal,
  ): Promise<{ address: URL; load: ReportedLoad } | null> {
    let strange: ScrapeError | null = null;
    for (const address of metricsAddresses(this.#options.base, engine)) {
      const page = open(address, engine);
      try {
        const load = await this.#read(page, signal);
        this.#forget();
        this.#page = page;
        return { address, load };
      } catch (error) {
        page.client.close();
        if (error instanceof ScrapeError && error.failure === 'unknown-names') strange = error;
      }
    }
    if (strange && engine !== null) throw strange;
    return null;
  }

  #read({ client, address, engine }: MetricsPage, signal: AbortSignal): Promise<ReportedLoad> {
    const { base, headers, model } = this.#options;
    const own = address.origin === base.origin ? headers : {};
    return readLoad({ client, address, engine, model, headers: own }, signal);
  }

  #forget(): void {
    this.#page?.client.close();
    this.#page = null;
  }
}

function open(address: URL, engine: Engine | null): MetricsPage {
  const limits = { connect: PROBE_MS, head: PROBE_MS, idle: PROBE_MS };
  return { address, client: new HttpClient(address, limits), engine };
}

function inWords({ state, detail }: Exclude<Sighting, EngineSighting>): string {
  switch (state) {
    case 'nothing':
      return `nobody listens there (${detail})`;
    case 'silent':
      return `it takes the connection and does not answer (${detail})`;
    case 'loading':
      return `it is still loading (${detail})`;
    case 'locked':
      return detail;
    case 'foreign':
      return `no engine with OpenAI's API, but ${detail}`;
    case 'several':
      return detail;
  }
}
