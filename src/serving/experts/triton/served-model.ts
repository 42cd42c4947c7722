/**
 * The model that an expert uses, its dialect and its tensors. Asked of the server once and cached until a failure
 * suggests that it has changed.
 */
import { RouterError } from '../../../core/errors.ts';
import { type DialectName, detectDialect, isCumulative, missingInputs } from './dialect.ts';
import type { ModelMetadata, TritonServer } from './server.ts';

export interface ModelFacts {
  readonly name: string;
  readonly dialect: DialectName;
  readonly metadata: ModelMetadata;
  readonly decoupled: boolean;
  /** Whether each response repeats the text before it; null when that is to be seen. */
  readonly cumulative: boolean | null;
}

export interface Wanted {
  readonly expert: string;
  readonly url: string;
  readonly model: string | undefined;
  readonly dialect: DialectName | undefined;
  readonly output: 'auto' | 'incremental' | 'cumulative';
}

export class ServedModel {
  readonly #server: TritonServer;
  readonly #wanted: Wanted;
  #facts: Promise<ModelFacts> | null = null;
  #name: string | null;

  constructor(server: TritonServer, wanted: Wanted) {
    this.#server = server;
    this.#wanted = wanted;
    this.#name = wanted.model ?? null;
  }

  /** The name as far as it is known without asking. */
  get knownName(): string | null {
    return this.#name;
  }

  /** @throws RouterError `expert_not_ready` when none is named and not exactly one is ready */
  async name(signal: AbortSignal): Promise<string> {
    this.#name ??= await this.#onlyOne(signal);
    return this.#name;
  }

  /**
   * Concurrent callers share one request.
   * @param signal of the expert, not of one request
   * @throws RouterError when the model is of no dialect, or not of the one it is said to be
   */
  facts(signal: AbortSignal): Promise<ModelFacts> {
    if (!this.#facts) {
      const asked = this.#ask(signal);
      this.#facts = asked;
      asked.catch(() => {
        if (this.#facts === asked) this.#facts = null;
      });
    }
    return this.#facts;
  }

  /** The server was restarted or the model replaced: what comes next asks anew. */
  forget(): void {
    this.#facts = null;
    this.#name = this.#wanted.model ?? null;
  }

  async #ask(signal: AbortSignal): Promise<ModelFacts> {
    const name = await this.name(signal);
    const [metadata, config] = await Promise.all([
      this.#server.modelMetadata(name, signal),
      this.#server.modelConfig(name, signal),
    ]);
    const dialect = this.#dialect(metadata);
    const { output } = this.#wanted;
    return {
      name,
      dialect,
      metadata,
      decoupled: config.decoupled,
      cumulative: output === 'auto' ? isCumulative(dialect, config.parameters) : output === 'cumulative',
    };
  }

  #dialect(metadata: ModelMetadata): DialectName {
    const { expert, dialect } = this.#wanted;
    const chosen = dialect ?? detectDialect(metadata);
    const inputs = metadata.inputs.map(({ name }) => name).join(', ') || 'none';
    if (!chosen) {
      throw new RouterError(
        'expert_failed',
        `Expert '${expert}': model '${metadata.name}' is no language model of a known dialect (its inputs: ${inputs}). ` +
          'Name another with `model`, or say its `dialect`.',
      );
    }
    const missing = missingInputs(chosen, metadata);
    if (missing.length > 0) {
      const detected = detectDialect(metadata);
      throw new RouterError(
        'expert_failed',
        `Expert '${expert}': model '${metadata.name}' does not speak the dialect '${chosen}': it has no input ` +
          `${missing.join(', ')} (its inputs: ${inputs}). ` +
          (detected ? `It looks like '${detected}': leave \`dialect\` out.` : 'Name another with `model`.'),
      );
    }
    return chosen;
  }

  async #onlyOne(signal: AbortSignal): Promise<string> {
    const { expert, url } = this.#wanted;
    const index = await this.#server.repositoryIndex(signal);
    const ready = [...new Set(index.filter(({ state }) => state === 'READY').map(({ name }) => name))];
    if (ready.length === 1) return ready[0]!;
    const all = [...new Set(index.map(({ name }) => name))];
    throw new RouterError(
      'expert_not_ready',
      ready.length > 1
        ? `Expert '${expert}': ${url} serves several models. Name one with \`model\`: ${ready.join(', ')}.`
        : `Expert '${expert}': ${url} has no model ready. ` +
            (all.length > 0
              ? `Name one with \`model\` and set \`load: true\`: ${all.join(', ')}.`
              : 'Its repository is empty.'),
    );
  }
}
