/** A plan to run by hand: a router config and the engines' command lines with their limits. */

import type { Deployment } from '../simulating/deployment.ts';
import type { EngineLimits } from '../simulating/memory.ts';
import { serveCommand } from './flags.ts';
import { openaiExpert, routerConfig } from './router-config.ts';
import { usefulBatch } from './size.ts';

const FIRST_PORT = 8000;

export interface Recipe {
  /** The router's config, YAML. */
  readonly config: string;
  /** One command per expert. */
  readonly commands: readonly string[];
}

/**
 * @param repository the model as its engine names it, such as a Hugging Face repository
 * @param maxConcurrent requests that run at once, from the plan; more would only queue inside the engine
 */
export function recipe(
  d: Deployment,
  limits: EngineLimits,
  copies: number,
  repository: string,
  maxConcurrent: number,
): Recipe {
  const served = { ...limits, maxBatch: usefulBatch(limits, maxConcurrent) };
  const ports = Array.from({ length: copies }, (_, i) => FIRST_PORT + i);
  return {
    config: routerConfig(
      `${copies} x ${d.model.name} in ${d.precision.name} on ${d.tensorParallel} x ${d.gpu.label} each`,
      ports.map((port, i) => openaiExpert(`expert-${i + 1}`, port, repository)),
    ),
    commands: ports.map((port, i) => {
      const devices = Array.from({ length: d.tensorParallel }, (_, k) => i * d.tensorParallel + k);
      const words = serveCommand(d, repository, port, served);
      return `CUDA_VISIBLE_DEVICES=${devices.join(',')} ${words.join(' ')}`;
    }),
  };
}
