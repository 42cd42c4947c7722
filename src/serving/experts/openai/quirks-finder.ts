/** Which engine an address belongs to: as the config says, else by its host or by what it answers when asked. */
import type { DialectId } from '../../dialects/index.ts';
import type { EngineFacts } from '../../engines/engine.ts';
import { ENGINES } from '../../engines/index.ts';
import { probe } from '../../engines/probe.ts';
import { PLAIN } from './quirks.ts';

const PROBE_MS = 1_000;

/** What its bytes can be relayed in. */
const RELAYED: readonly DialectId[] = ['openai-chat', 'openai-completions'];

export class QuirksFinder {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** Undefined while the server is still to be asked, null for one that nobody knows. */
  #engine: EngineFacts | null | undefined;
  readonly #fixed: boolean;

  /** @param chosen by the config; null to find out */
  constructor(base: URL, headers: Readonly<Record<string, string>>, chosen: string | null) {
    this.#base = base;
    this.#headers = headers;
    if (chosen !== null) this.#engine = ENGINES.find(({ id }) => id === chosen) ?? null;
    // Clouds are not asked for addresses that they do not have.
    else this.#engine = cloudAt(base) ?? (base.protocol === 'https:' ? null : undefined);
    this.#fixed = this.#engine !== undefined;
  }

  /** The name of its quirks; `plain` until they are found. */
  get name(): string {
    return this.#engine?.quirks ? this.#engine.id : PLAIN;
  }

  /** All that can be relayed where the engine does not say, for Triton's protocol has a frontend with OpenAI's API. */
  get speaks(): readonly DialectId[] {
    const spoken = RELAYED.filter((id) => this.#engine?.speaks.includes(id));
    return spoken.length > 0 ? spoken : RELAYED;
  }

  /** Asks a server that is up, once. Never rejects, and takes a second at most. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#engine !== undefined) return;
    const sighting = await probe(this.#base, { within: PROBE_MS, headers: this.#headers, signal });
    this.#engine = sighting.kind === 'engine' ? sighting.engine : null;
  }

  /** The server was unreachable: another may come back in its place. */
  forget(): void {
    if (!this.#fixed) this.#engine = undefined;
  }
}

function cloudAt({ hostname }: URL): EngineFacts | undefined {
  return ENGINES.find(({ cloud }) => cloud && new URL(cloud.url).hostname === hostname);
}
