/** Asking the engines of an expert to load or unload its model, for whoever starts and stops it. */
import { describeError, UserError } from '../../core/errors.ts';
import type { AnyKind } from '../config/catalogue.ts';
import { type ExpertConfig, kindOptions } from '../config/expert-fields.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import type { EngineTask } from '../starting/kept-expert.ts';
import { kindOf } from './kinds.ts';
import { expertDeps, type World } from './world.ts';

export interface EngineParts {
  readonly world: World;
  readonly kinds: readonly AnyKind[];
}

const SAYS = { load: 'its engine loads its model', unload: 'its engine unloads its model' };

/** All its servers at once; it has failed where none could. */
export function engineTask(
  expert: ExpertConfig,
  what: 'load' | 'unload',
  { world, kinds }: EngineParts,
): EngineTask {
  const kind = kindOf(expert, kinds);
  const options = kindOptions(expert);
  return {
    says: SAYS[what],
    run: (line) => {
      const life = new AbortController();
      const deps = { ...expertDeps(world), loadedWhenNeeded: true, signal: life.signal };
      const replicas = kind.replicas?.(options) ?? [];
      const asked = replicas.map(({ options: own }) => atOne(kind, expert.id, own, what, deps));
      return { ended: outcome(asked, line), end: () => life.abort() };
    },
  };
}

async function atOne(
  kind: AnyKind,
  id: string,
  options: unknown,
  what: 'load' | 'unload',
  deps: ExpertDeps & { readonly signal: AbortSignal },
): Promise<void> {
  const one = await kind.create(id, options, deps);
  try {
    if (!one[what]) throw new UserError(`Servers of kind '${kind.kind}' ${what} nothing on request.`);
    await one[what](deps.signal);
  } finally {
    await one.close();
  }
}

/** @returns what is wrong, without full stop, where no server did it; others are told by `line` */
async function outcome(
  asked: readonly Promise<void>[],
  line: (text: string) => void,
): Promise<string | null> {
  const results = await Promise.allSettled(asked);
  const problems = results.flatMap((one) => (one.status === 'rejected' ? [describeError(one.reason)] : []));
  if (problems.length === results.length) return problems[0]?.replace(/\.$/, '') ?? null;
  for (const problem of problems) line(problem);
  return null;
}
