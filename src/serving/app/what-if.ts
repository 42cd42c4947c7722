/** Answers *What if* on a thread of its own: a replay computes for seconds, and reads files. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RouterError, UserError } from '../../core/errors.ts';
import { DEFAULT_MODEL } from '../../deciding/model/file.ts';
import { SECONDS_PER_AFFINITY } from '../../deciding/routing/cost.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { whatIfAsked } from '../../replaying/asked.ts';
import type { WhatIfAnswer } from '../../replaying/what-if.ts';
import { GPU_NAMES } from '../../simulating/hardware/gpu.ts';
import { MODEL_NAMES } from '../../simulating/model/catalog.ts';
import type { WhatIfDesk, WhatIfOptions } from '../board/what-if.ts';
import type { Config } from '../config/schema.ts';
import { replayTask, type WhatIfTask, type WhatIfTold } from './what-if-task.ts';

/** A replay that takes longer is given up. */
const PATIENCE_MS = 60_000;
const MOST_MB = 1_024;
/** Of an expert that the config says nothing known of. */
const MODEL = 'llama-3.1-8b';
const GPU = 'h100';
const MODEL_FILE = /\.safetensors$/;

export class WhatIf implements WhatIfDesk {
  readonly #config: () => Config;
  #busy = false;

  constructor(config: () => Config) {
    this.#config = config;
  }

  async options(): Promise<WhatIfOptions> {
    const config = this.#config();
    const file = config.router ?? DEFAULT_MODEL;
    const { policy } = config;
    return {
      records: config.records !== undefined && config.records !== null,
      policy,
      secondsPerAffinity: SECONDS_PER_AFFINITY,
      policies: POLICIES.map(({ id, summary }) => ({ id, summary })),
      models: MODEL_NAMES,
      gpus: GPU_NAMES,
      router: basename(file),
      routers: await modelsBeside(file),
      experts: Object.fromEntries(
        config.experts.map(({ id, model, url }) => [
          id,
          {
            model: MODEL_NAMES.find((one) => one === model) ?? MODEL,
            gpu: GPU,
            tensor_parallel: 1,
            replicas: Array.isArray(url) ? url.length : 1,
          },
        ]),
      ),
    };
  }

  /** @throws RouterError `invalid_request`, or `overloaded` while another replay runs */
  async ask(body: unknown): Promise<WhatIfAnswer> {
    const config = this.#config();
    const asked = whatIfAsked(
      body,
      config.experts.map(({ id }) => id),
    );
    if (!config.records)
      throw new RouterError(
        'invalid_request',
        'No decisions are recorded here; add to the config: records: {dir: ./records}.',
      );
    const file = config.router ?? DEFAULT_MODEL;
    const { router } = asked.change;
    if (router !== undefined && !(await modelsBeside(file)).includes(router))
      throw new RouterError(
        'invalid_request',
        `change.router: there is no ${router} beside ${basename(file)}.`,
        {
          param: 'change.router',
        },
      );
    const other = router === undefined ? file : join(dirname(file), router);
    return this.#alone({ config: plain(config), asked, router: other });
  }

  async #alone(task: WhatIfTask): Promise<WhatIfAnswer> {
    if (this.#busy)
      throw new RouterError('overloaded', 'Another replay is running; ask again when it has ended.', {
        retryAfter: 5,
      });
    this.#busy = true;
    try {
      const told = await onThread(task);
      if ('answer' in told) return told.answer;
      throw new RouterError('invalid_request', told.refused);
    } finally {
      this.#busy = false;
    }
  }
}

/** Without what is no data, such as functions of a program's own kinds. */
function plain(config: Config): Config {
  return JSON.parse(JSON.stringify(config)) as Config;
}

async function modelsBeside(file: string): Promise<readonly string[]> {
  const names = await readdir(dirname(file)).catch(() => []);
  return names.filter((name) => MODEL_FILE.test(name)).sort();
}

function onThread(task: WhatIfTask): Promise<WhatIfTold> {
  // Sources that are not compiled cannot be run by a plain thread.
  if (!import.meta.url.endsWith('.js')) return replayTask(task);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./what-if-task.js', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: MOST_MB },
    });
    worker.unref();
    const timer = setTimeout(() => {
      resolve({ refused: `The replay took longer than ${PATIENCE_MS / 1000} s; take fewer minutes.` });
      void worker.terminate();
    }, PATIENCE_MS);
    worker.once('message', resolve);
    worker.once('error', (error) =>
      reject(new UserError(`The replay failed: ${error.message}`, { cause: error })),
    );
    worker.once('exit', () => {
      clearTimeout(timer);
      reject(new UserError('The replay ended without an answer.'));
    });
  });
}
