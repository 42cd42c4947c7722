/** The experts of a config that are started and stopped as they are needed, and whoever does so. */
import { dirname, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { IDLE_MS, startLimit } from '../config/start-fields.ts';
import { runCommand } from '../starting/command.ts';
import { programProblem } from '../starting/program.ts';
import { Starter, type StarterParts, type StartSpec } from '../starting/starter.ts';
import { type EngineParts, engineTask } from './engine-task.ts';
import type { World } from './world.ts';

/** What servers that were started as processes of ours, and commands under way, have to end with the gateway. */
export const SERVERS_END_MS = 15_000;

export function startSpecs({ experts }: Config, engines: EngineParts): readonly StartSpec[] {
  return experts.flatMap((expert) =>
    expert.start === undefined
      ? []
      : [
          {
            id: expert.id,
            start: expert.start === 'engine' ? engineTask(expert, 'load', engines) : expert.start,
            stop: expert.start === 'engine' ? engineTask(expert, 'unload', engines) : (expert.stop ?? null),
            idleMs: expert.idle ?? IDLE_MS,
            limitMs: startLimit(expert)!,
          },
        ],
  );
}

/** In sentences: commands whose program is not on this machine. @param file as of `starterOf` */
export function startWarnings(
  config: Config,
  file: string,
  environment: World['environment'],
): readonly string[] {
  return config.experts.flatMap(({ id, start, stop }) =>
    Object.entries({ started: start, stopped: stop }).flatMap(([what, argv]) => {
      const problem =
        argv && argv !== 'engine' && programProblem(argv[0]!, dirname(resolve(file)), environment.PATH);
      return problem ? [`'${id}' cannot be ${what}: ${problem}.`] : [];
    }),
  );
}

/** @param kinds of the experts @param file the config's, in whose folder commands run; null for the working directory */
export function starterOf(
  { config, file }: { readonly config: Config; readonly file: string | null },
  engines: EngineParts,
  reach: Pick<StarterParts, 'tell' | 'own'>,
): Starter {
  const { log, clock, environment } = engines.world;
  const cwd = file === null ? process.cwd() : dirname(resolve(file));
  const starter = new Starter({
    ...reach,
    log,
    now: clock.monotonic,
    run: (argv, line) => runCommand(argv, { cwd, environment, line }),
  });
  starter.keep(startSpecs(config, engines));
  return starter;
}
