/**
 * What serves in place of an embedded expert whose engine or default weights cannot be had: an emulated expert that
 * says so in every answer. An expert whose weights the user chose is never replaced; its error is the user's to see.
 */
import { UserError } from '../../core/errors.ts';
import { emulatedKind } from '../experts/emulated/index.ts';
import type { Expert } from '../experts/expert.ts';
import type { ExpertDeps, ExpertKind } from '../experts/kind.ts';
import { findEngine } from '../experts/llama/install.ts';
import { listWeights } from '../weights/inventory.ts';

/** Set to anything, nothing is fetched: what is not in the cache already is emulated. */
const OFFLINE = 'EXPERT_ROUTER_OFFLINE';

export class StandIns {
  readonly #deps: ExpertDeps;
  /** Once fetching has failed it is not tried again for the next expert. */
  #failed = false;

  constructor(deps: ExpertDeps) {
    this.#deps = deps;
  }

  /** The expert that `create` makes, or its stand-in. */
  async instead(
    id: string,
    kind: ExpertKind<unknown>,
    options: Readonly<Record<string, unknown>>,
    create: () => Promise<Expert>,
  ): Promise<Expert> {
    const replaceable = kind.kind === 'llama' && options.weights === defaultWeights(kind);
    if (!replaceable) return create();
    if (this.#failed) return this.#emulated(id);
    try {
      await this.#requireCacheIfOffline();
      return await create();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#failed = true;
      this.#deps.log(
        `${error.message}\nEMULATED ANSWERS: the embedded experts have no engine or weights, so they answer with text that says so.`,
      );
      return this.#emulated(id);
    }
  }

  #emulated(id: string): Promise<Expert> {
    return emulatedKind.create(id, { capabilities: ['chat', 'completions'] }, this.#deps);
  }

  async #requireCacheIfOffline(): Promise<void> {
    const { cacheFolder, environment } = this.#deps;
    if (!environment[OFFLINE]) return;
    const weights = await listWeights(cacheFolder);
    const ready = (await findEngine(cacheFolder)) && weights.some((file) => file.state === 'pinned');
    if (!ready)
      throw new UserError(
        `${OFFLINE} is set and the cache ${cacheFolder} lacks engine or weights; \`expert-router pull\` fetches them.`,
      );
  }
}

function defaultWeights(kind: ExpertKind<unknown>): unknown {
  return (kind.options.parse({}) as Record<string, unknown>).weights;
}
