/** Finds the engine behind an address: named by the config, known by its host, or recognised by its answers. */
import type { Trust } from '../../../http/client.ts';
import { DIALECTS, type DialectId } from '../../dialects/index.ts';
import type { ContextPage, EngineFacts, TraitsPage } from '../../engines/engine.ts';
import { ENGINES } from '../../engines/index.ts';
import { probe } from '../../engines/probe.ts';
import { PLAIN } from './quirks.ts';

const PROBE_MS = 1_000;

/** What a server is taken to speak as long as its engine is unknown. */
export const USUAL: readonly DialectId[] = ['openai-chat', 'openai-completions'];

/** By the config; null to find out. */
interface Chosen {
  /** The engine's id. */
  readonly engine: string | null;
  /** What it speaks beside the usual. */
  readonly dialects: readonly DialectId[] | null;
}

export class QuirksFinder {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trust: Trust;
  /** Undefined until the server has been asked; null for an unknown engine. */
  #engine: EngineFacts | null | undefined;
  #speaks = USUAL;
  readonly #fixed: boolean;

  readonly #declared: readonly DialectId[] | null;

  constructor(base: URL, headers: Readonly<Record<string, string>>, trust: Trust, config: Chosen) {
    const { engine: chosen, dialects } = config;
    this.#declared = dialects && [...new Set([...USUAL, ...dialects])];
    this.#base = base;
    this.#trust = trust;
    this.#headers = headers;
    if (chosen !== null) this.#take(ENGINES.find(({ id }) => id === chosen) ?? null);
    // Clouds are not probed.
    else this.#take(cloudAt(base) ?? (base.protocol === 'https:' ? null : undefined));
    this.#fixed = this.#engine !== undefined;
  }

  /** The name of its quirks; `plain` until they are found. */
  get name(): string {
    return this.#engine?.quirks ? this.#engine.id : PLAIN;
  }

  /** Null while it is unknown, and for one that is. */
  get engine(): EngineFacts | null {
    return this.#engine ?? null;
  }

  /** Also the usual for Triton, whose OpenAI frontend speaks both. */
  get speaks(): readonly DialectId[] {
    return this.#speaks;
  }

  /** Where it tells its context; null where that is unknown, or nowhere. */
  get context(): ContextPage | null {
    return this.#engine?.context ?? null;
  }

  /** Where it describes its model; null where that is unknown, or nowhere. */
  get traits(): TraitsPage | null {
    return this.#engine?.traits ?? null;
  }

  /** Probes a server that is up, once and for at most a second. Never rejects. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#engine !== undefined) return;
    const sighting = await probe(this.#base, {
      within: PROBE_MS,
      headers: this.#headers,
      signal,
      trust: this.#trust,
    });
    this.#take(sighting.kind === 'engine' ? sighting.engine : null);
  }

  /** After an outage another engine may listen at the address. */
  forget(): void {
    if (!this.#fixed) this.#take(undefined);
  }

  /** It turned out not to speak a dialect, as older versions of its engine do not. */
  unlearn(dialect: string): void {
    if (this.#declared !== null) return;
    this.#speaks = this.#speaks.filter((id) => id !== dialect);
  }

  #take(engine: EngineFacts | null | undefined): void {
    this.#engine = engine;
    if (this.#declared !== null) {
      this.#speaks = this.#declared;
      return;
    }
    const spoken = DIALECTS.map(({ id }) => id).filter((id) => engine?.speaks.includes(id));
    this.#speaks = spoken.length > 0 ? spoken : USUAL;
  }
}

function cloudAt({ hostname }: URL): EngineFacts | undefined {
  return ENGINES.find(({ cloud }) => cloud && new URL(cloud.url).hostname === hostname);
}
