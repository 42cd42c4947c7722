/** Whose quirks a server has: as the config says, else by its host or by what it answers when asked what it is. */
import { ENGINES } from '../../engines/index.ts';
import { probe } from '../../engines/probe.ts';
import { PLAIN } from './quirks.ts';

const PROBE_MS = 1_000;

export class QuirksFinder {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** Null while the server is still to be asked. */
  #found: string | null;
  readonly #fixed: boolean;

  /** @param chosen by the config; null to find out */
  constructor(base: URL, headers: Readonly<Record<string, string>>, chosen: string | null) {
    this.#base = base;
    this.#headers = headers;
    // Clouds are not asked addresses that are none of theirs.
    this.#found = chosen ?? ofCloud(base) ?? (base.protocol === 'https:' ? PLAIN : null);
    this.#fixed = this.#found !== null;
  }

  /** `plain` until it is found. */
  get name(): string {
    return this.#found ?? PLAIN;
  }

  /** Asks a server that is up, once. Never rejects, and takes a second at most. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#found !== null) return;
    const sighting = await probe(this.#base, { within: PROBE_MS, headers: this.#headers, signal });
    const engine = sighting.kind === 'engine' ? sighting.engine : null;
    this.#found = engine?.quirks ? engine.id : PLAIN;
  }

  /** The server was gone: another may come back in its place. */
  forget(): void {
    if (!this.#fixed) this.#found = null;
  }
}

function ofCloud({ hostname }: URL): string | null {
  const known = ENGINES.find(({ cloud }) => cloud && new URL(cloud.url).hostname === hostname);
  return known?.quirks ? known.id : null;
}
