/**
 * An expert that is a LoRA adapter, and whether its engine holds it in GPU memory. Engines tell the adapters at work; vLLM
 * keeps others as long as there is room, the least recently used going first (vllm/lora/worker_manager.py), so the last ones
 * at work are still there.
 */
import type { AdaptersAtWork } from '../../engines/engine.ts';
import type { AdapterState } from '../expert.ts';

export class Adapter implements AdapterState {
  readonly loadMs: number;
  readonly #name: () => string;
  /** In GPU memory, the latest used first. */
  #there: readonly string[] = [];
  /** How many fit in; null until the engine has told. */
  #slots: number | null = null;

  /** @param name of its model, as it is now */
  constructor(name: () => string, loadMs: number) {
    this.#name = name;
    this.loadMs = loadMs;
  }

  get resident(): boolean | null {
    return this.#slots === null ? null : this.#there.includes(this.#name());
  }

  /** A request of ours uses it. */
  used(): void {
    this.#use([this.#name()]);
  }

  /** What the engine told; undefined for nothing, after which nothing is known. */
  heard(told: AdaptersAtWork | undefined): void {
    this.#slots = told?.slots ?? null;
    this.#use(told?.names ?? []);
  }

  #use(names: readonly string[]): void {
    const others = this.#there.filter((one) => !names.includes(one));
    this.#there = [...names, ...others].slice(0, this.#slots ?? 0);
  }
}
