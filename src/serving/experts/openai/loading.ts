/** Loads and unloads an expert's model or LoRA adapter at an engine that does so on request. */
import { UserError } from '../../../core/errors.ts';
import type { HttpClient } from '../../../http/client.ts';
import { ask, isAnswer, jsonOf } from '../../engines/ask.ts';
import type { Call, EngineFacts } from '../../engines/engine.ts';
import { FailureError } from '../../engines/failure.ts';
import { pathAt } from '../api-base.ts';

export interface LoadingParts {
  readonly expert: string;
  readonly base: URL;
  readonly client: HttpClient;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the engine finds the LoRA adapter; null for a model of its own. */
  readonly adapter: string | null;
  model(): string;
  /** Null while it is unknown. */
  engine(): EngineFacts | null;
}

export class ModelLoading {
  readonly #parts: LoadingParts;

  constructor(parts: LoadingParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.model();
  }

  async load(signal: AbortSignal): Promise<void> {
    const { adapter } = this.#parts;
    const call = this.#parts.engine()?.loading?.load(this.name, adapter);
    await this.#do(call ?? null, 'load', /already (?:been )?loaded/i, signal);
  }

  async unload(signal: AbortSignal): Promise<void> {
    const { adapter } = this.#parts;
    const call = this.#parts.engine()?.loading?.unload(this.name, adapter);
    await this.#do(call ?? null, 'unload', /not (?:found|loaded)|cannot be found|does not exist/i, signal);
  }

  /** Null where the list of models tells that as well. */
  async isLoaded(signal: AbortSignal): Promise<boolean | null> {
    const page = this.#parts.engine()?.loading?.loaded;
    if (!page) return null;
    const { client, base, headers } = this.#parts;
    const told = jsonOf(await ask(client, { path: pathAt(base, page.path), headers }, signal));
    return told === null ? null : page.has(told, this.name);
  }

  /** @param done an error that says that nothing was to be done */
  async #do(call: Call | null, what: string, done: RegExp, signal: AbortSignal): Promise<void> {
    const { expert, client, base, headers, adapter } = this.#parts;
    if (call === null) throw cannot(expert, this.#parts.engine()?.name ?? null, adapter);
    const path = pathAt(base, call.path);
    const body = JSON.stringify(call.json);
    const asked = await ask(client, { method: 'POST', path, headers, body }, signal);
    if (!isAnswer(asked)) throw new FailureError(asked);
    if (asked.status < 400 || done.test(asked.body)) return;
    const hint = asked.status === 404 && !/lora|adapter|model/i.test(asked.body) ? CURE : '';
    const message = `could not ${what} ${this.name}${hint}`;
    const said = { asked: `POST ${path}`, status: asked.status, message: told(asked.body) ?? message };
    throw new FailureError({ kind: 'status', ...said });
  }
}

const CURE = '; vLLM does so when started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True';

/** The words of an error in OpenAI's shape, or of a bare text. */
function told(body: string): string | null {
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    const text = (error as { message?: unknown } | null)?.message ?? message ?? error;
    return typeof text === 'string' ? text : null;
  } catch {
    return null;
  }
}

function cannot(expert: string, engine: string | null, adapter: string | null): UserError {
  const who = engine ?? 'its engine, which is unknown,';
  if (adapter !== null) return new UserError(`Expert '${expert}': ${who} loads no LoRA adapters on request.`);
  return new UserError(
    `Expert '${expert}': ${who} loads no models on request; start and stop its server by a command.`,
  );
}
