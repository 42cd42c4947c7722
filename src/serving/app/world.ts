/** Everything the gateway takes from outside of itself, so that a program that embeds it decides on all of it. */
import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import type { ExpertDeps, OpenProgress } from '../experts/kind.ts';
import { cacheFolder } from '../weights/cache-folder.ts';

export interface Clock {
  /** Milliseconds since 1970. */
  epoch(): number;
  /** Milliseconds that never run backwards, from any beginning. */
  monotonic(): number;
}

export interface World {
  /** Takes one line for the operator. It never carries prompts, answers or keys. */
  log(line: string): void;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** What `${NAME}` in a config and the settings of engines are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Opens a progress display for long work such as a download; absent, nothing is shown. */
  readonly progress?: OpenProgress | undefined;
}

/** This process's own clock, randomness and environment, and nobody who listens to the log. */
export function realWorld(given: Partial<World>): World {
  return {
    log: given.log ?? (() => {}),
    clock: given.clock ?? { epoch: Date.now, monotonic: () => performance.now() },
    random: given.random ?? Math.random,
    environment: given.environment ?? process.env,
    progress: given.progress,
  };
}

export function expertDeps({ log, clock, environment, progress }: World): ExpertDeps {
  return {
    cacheFolder: cacheFolder(environment, process.platform, homedir()),
    environment,
    newId: (prefix) => `${prefix}-${randomUUID().replaceAll('-', '')}`,
    now: clock.epoch,
    ...(progress ? { progress } : {}),
    log,
  };
}
