/** Which dialect a server speaks: as the config says, else by its host or by what it answers when asked what it is. */
import type { Engine } from '../../engines/engine.ts';
import { probe } from '../../engines/probe.ts';
import type { DialectName } from './dialects.ts';

const BY_ENGINE: Readonly<Partial<Record<Engine, DialectName>>> = {
  vLLM: 'vllm',
  SGLang: 'sglang',
  'TensorRT-LLM': 'trtllm',
  'llama.cpp': 'llama.cpp',
  Ollama: 'ollama',
  TGI: 'tgi',
  Triton: 'triton',
};

const BY_HOST: Readonly<Record<string, DialectName>> = { 'api.openai.com': 'openai' };

const PROBE_MS = 1_000;

export class DialectFinder {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** Null while the server is still to be asked. */
  #found: DialectName | null;

  /** @param chosen by the config; null to find out */
  constructor(base: URL, headers: Readonly<Record<string, string>>, chosen: DialectName | null) {
    this.#base = base;
    this.#headers = headers;
    // Clouds are not asked addresses that are none of theirs.
    const known = BY_HOST[base.hostname] ?? (base.protocol === 'https:' ? 'plain' : null);
    this.#found = chosen ?? known;
    this.#fixed = this.#found !== null;
  }

  readonly #fixed: boolean;

  /** `plain` until it is found. */
  get name(): DialectName {
    return this.#found ?? 'plain';
  }

  /** Asks a server that is up, once. Never rejects, and takes a second at most. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#found !== null) return;
    const sighting = await probe(this.#base, { within: PROBE_MS, headers: this.#headers, signal });
    const engine = sighting.state === 'engine' ? sighting.engine : null;
    this.#found = (engine && BY_ENGINE[engine]) ?? 'plain';
  }

  /** The server was gone: another may come back in its place. */
  forget(): void {
    if (!this.#fixed) this.#found = null;
  }
}
