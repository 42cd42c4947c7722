/** Every replica of every expert of a config, examined. */
import { UserError } from '../../core/errors.ts';
import { discoverOf, expertAt, isInProcess, type ReplicaMaker, replicaMakers } from '../app/kinds.ts';
import { StandIns } from '../app/stand-ins.ts';
import { expertDeps, type World } from '../app/world.ts';
import { type ExpertConfig, kindOptions } from '../config/expert-fields.ts';
import type { Config } from '../config/schema.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import { findOnce } from '../members/watch.ts';
import { type Examination, examine } from './examine.ts';
import { judgeMade } from './judge.ts';

/** What was found at one replica. */
export interface Examined extends Examination {
  readonly expert: string;
  readonly kind: string;
  readonly replica: string;
}

export interface Examining {
  readonly world: World;
  /** Whether experts are asked for text. */
  readonly ask: boolean;
  /** Longest wait for an answer, in milliseconds. */
  readonly timeout: number;
}

/**
 * Servers elsewhere all at once; what computes in this process one after another. Never rejects for a fault of an
 * expert: that is a check that failed.
 * @returns in the config's order
 */
export async function examineConfig(config: Config, how: Examining): Promise<readonly Examined[]> {
  const deps = expertDeps(how.world);
  const standIns = new StandIns(deps);
  const found = new Map<ExpertConfig, readonly Examined[]>();
  const look = async (expert: ExpertConfig): Promise<void> => {
    const makers = async () =>
      discoverOf(expert) === null ? replicaMakers(expert, deps, standIns) : foundMakers(expert, deps, how);
    found.set(expert, await examineExpert(expert, how, makers));
  };
  await Promise.all(config.experts.filter((expert) => !isInProcess(expert)).map(look));
  for (const expert of config.experts.filter((one) => isInProcess(one))) await look(expert);
  return config.experts.flatMap((expert) => found.get(expert) ?? []);
}

/** Of the replicas that are found now. @throws UserError for none */
async function foundMakers(
  expert: ExpertConfig,
  deps: ExpertDeps,
  { world, timeout }: Examining,
): Promise<readonly Pick<ReplicaMaker, 'name' | 'make'>[]> {
  const found = await findOnce(discoverOf(expert)!, world, timeout);
  if (found.length === 0) throw new UserError('no replica of it is there.');
  return found.map(({ url }) => ({ name: url, make: () => expertAt(expert, url, deps) }));
}

async function examineExpert(
  expert: ExpertConfig,
  { ask, timeout, world }: Examining,
  makersOf: () => Promise<readonly Pick<ReplicaMaker, 'name' | 'make'>[]>,
): Promise<readonly Examined[]> {
  const basis = { expert: expert.id, kind: expert.kind };
  const failed = (error: unknown, replica: string): Examined => ({
    ...basis,
    replica,
    checks: [judgeMade(error)],
    engine: null,
  });
  let makers: Awaited<ReturnType<typeof makersOf>>;
  try {
    makers = await makersOf();
  } catch (error) {
    return [failed(error, expert.id)];
  }
  const { model = null } = kindOptions(expert) as { model?: string };
  const named = model ?? (expert.kind === 'openai' ? expert.id : null);
  return Promise.all(
    makers.map(async ({ name, make }): Promise<Examined> => {
      try {
        const made = await make();
        const within = { ask, within: timeout, model: named, now: world.clock.monotonic };
        const found = await examine(made, within);
        await made.close();
        return { ...basis, replica: name, ...found };
      } catch (error) {
        return failed(error, name);
      }
    }),
  );
}
