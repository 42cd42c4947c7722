/**
 * Loading and unloading models through Triton's repository API, with word of how it goes. It works in the server's
 * explicit mode alone (docs/user_guide/model_management.md).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../../core/errors.ts';
import { type ModelIndex, ServerError, type TritonServer } from './server.ts';

/** How a model stands while something is done to it. */
export interface ModelState {
  readonly state: ModelIndex['state'];
  /** Why it is not ready, as the server says it. */
  readonly reason: string;
}

export interface RepositoryWork {
  readonly signal: AbortSignal;
  /** Called whenever the state was asked for. */
  readonly progress?: (state: ModelState) => void;
  /** Milliseconds between two questions. */
  readonly interval?: number;
}

/** The state of a model, the best of its versions; null for one that is not in the repository. */
export async function modelState(
  server: TritonServer,
  model: string,
  signal: AbortSignal,
): Promise<ModelState | null> {
  const versions = (await server.repositoryIndex(signal)).filter(({ name }) => name === model);
  return versions.toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state))[0] ?? null;
}

const RANK: readonly ModelIndex['state'][] = ['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE', ''];

/**
 * Resolves when the model is ready.
 * @throws UserError when there is no such model, or when the server does not load on request
 * @throws ServerError for whatever else the server answers, such as the model's own reason for not loading
 */
export async function load(server: TritonServer, model: string, work: RepositoryWork): Promise<void> {
  let done = false;
  const loading = server.loadModel(model, work.signal).finally(() => {
    done = true;
  });
  // While it waits for the answer, which comes only when the model is loaded.
  const watching = watch(server, model, work, () => done).catch(() => {});
  try {
    await loading;
  } catch (error) {
    throw explained(error, model);
  } finally {
    await watching;
  }
}

/** Resolves when the model is gone from memory. Throws as `load` does. */
export async function unload(server: TritonServer, model: string, work: RepositoryWork): Promise<void> {
  try {
    await server.unloadModel(model, work.signal);
  } catch (error) {
    throw explained(error, model);
  }
  // Requests under way are answered first; the call itself does not wait for that.
  await watch(
    server,
    model,
    work,
    (state) => state?.state === 'UNAVAILABLE' || state?.state === '' || !state,
  );
}

async function watch(
  server: TritonServer,
  model: string,
  { signal, progress, interval = 500 }: RepositoryWork,
  over: (state: ModelState | null) => boolean,
): Promise<void> {
  for (;;) {
    const state = await modelState(server, model, signal);
    if (state) progress?.(state);
    if (over(state)) return;
    await pause(interval, undefined, { signal });
  }
}

function explained(error: unknown, model: string): unknown {
  if (!(error instanceof ServerError)) return error;
  if (/explicit model load/i.test(error.message)) {
    return new UserError(
      `This server does not load models on request (${error.message}). ` +
        'Start it with --model-control-mode=explicit and name what it loads at once with --load-model=NAME.',
    );
  }
  if (/failed to poll|not found|no such model/i.test(error.message)) {
    return new UserError(
      `There is no model '${model}' in this server's repository (${error.message}). ` +
        'expert-router triton index URL lists what there is.',
    );
  }
  return error;
}
