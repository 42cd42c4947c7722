/** How long an engine takes to load a LoRA adapter into GPU memory, from the times to the first token with and without. */

/** How far each mean follows: about the last four answers count. */
const STEP = 1 / 4;

export class AdapterLoad {
  #loadedMs: number | null = null;
  #unloadedMs: number | null = null;

  /** Milliseconds; null while it has not been seen. */
  get ms(): number | null {
    if (this.#unloadedMs === null || this.#loadedMs === null) return null;
    return Math.max(0, this.#unloadedMs - this.#loadedMs);
  }

  /** @param unloaded whether the adapter had to be loaded @param firstMs from the beginning of a streamed answer to its first token */
  observe(unloaded: boolean, firstMs: number): void {
    if (unloaded) this.#unloadedMs = after(this.#unloadedMs, firstMs);
    else this.#loadedMs = after(this.#loadedMs, firstMs);
  }
}

const after = (mean: number | null, ms: number): number => (mean === null ? ms : mean + (ms - mean) * STEP);
