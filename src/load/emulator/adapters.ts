/**
 * LoRA adapters of an emulated server: loaded and unloaded by request as at vLLM, kept in a GPU memory of some slots, and
 * told in its metrics. A request whose adapter is not in that memory waits until it has been loaded.
 */
import { errorBody, jsonAnswer } from './wire.ts';

export interface AdapterOptions {
  /** How many GPU memory holds at once. */
  readonly slots: number;
  /** Milliseconds that loading one into it takes. */
  readonly loadMs: number;
}

export class EmulatedAdapters {
  readonly #options: AdapterOptions;
  readonly #registered = new Map<string, string>();
  /** In GPU memory, the latest used first, each with the time it is there. */
  #there: readonly { readonly name: string; readonly from: number }[] = [];
  /** Requests under way, by adapter. */
  readonly #running = new Map<string, number>();

  constructor(options: AdapterOptions) {
    this.#options = options;
  }

  has(name: string): boolean {
    return this.#registered.has(name);
  }

  /** Milliseconds that a request has to wait for its adapter, from now. */
  begin(name: string, now: number): number {
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1);
    const own = this.#there.find((one) => one.name === name) ?? { name, from: now + this.#options.loadMs };
    const others = this.#there.filter((one) => one.name !== name);
    this.#there = [own, ...others].slice(0, this.#options.slots);
    return Math.max(0, own.from - now);
  }

  end(name: string): void {
    const left = (this.#running.get(name) ?? 0) - 1;
    if (left > 0) this.#running.set(name, left);
    else this.#running.delete(name);
  }

  /** As vLLM lists them beside their base. */
  cards(base: string, created: number): readonly object[] {
    return Array.from(this.#registered, ([id, root]) => ({
      id,
      object: 'model',
      created,
      owned_by: 'emulated',
      root,
      parent: base,
    }));
  }

  /** @param seconds since 1970 */
  metrics(seconds: number): string {
    const running = [...this.#running.keys()].join(',');
    const labels = `max_lora="${this.#options.slots}",running_lora_adapters=${JSON.stringify(running)},waiting_lora_adapters=""`;
    return `# TYPE vllm:lora_requests_info gauge\nvllm:lora_requests_info{${labels}} ${seconds}\n`;
  }

  /** The answer to a request to load or unload; null for any other path. */
  answer(path: string, body: Buffer): string | null {
    if (path !== '/v1/load_lora_adapter' && path !== '/v1/unload_lora_adapter') return null;
    const { lora_name: name, lora_path: place } = jsonOf(body);
    if (typeof name !== 'string' || name === '') return refused(400, "'lora_name' must be a text.");
    return path === '/v1/load_lora_adapter' ? this.#load(name, place) : this.#unload(name);
  }

  #load(name: string, place: unknown): string {
    if (typeof place !== 'string' || place === '') return refused(400, "'lora_path' must be a text.");
    if (this.has(name)) return refused(400, `The lora adapter '${name}' has already been loaded.`);
    this.#registered.set(name, place);
    return jsonAnswer(200, JSON.stringify(`Success: LoRA adapter '${name}' added successfully.`));
  }

  #unload(name: string): string {
    if (!this.#registered.delete(name)) return refused(404, `The lora adapter '${name}' cannot be found.`);
    this.#there = this.#there.filter((one) => one.name !== name);
    return jsonAnswer(200, JSON.stringify(`Success: LoRA adapter '${name}' removed successfully.`));
  }
}

function refused(status: number, message: string): string {
  return jsonAnswer(
    status,
    errorBody(message, status === 404 ? 'NotFoundError' : 'BadRequestError', String(status)),
  );
}

function jsonOf(body: Buffer): { readonly lora_name?: unknown; readonly lora_path?: unknown } {
  try {
    return Object(JSON.parse(body.toString())) as object;
  } catch {
    return {};
  }
}
