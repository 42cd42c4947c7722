/**
 * The one judgement over a config, at a start and at every reload: where it may be served and by how many processes,
 * and whether it may follow the one in force. What a start would not do does not come by reload either.
 */
import { availableParallelism } from 'node:os';
import { UserError } from '../../core/errors.ts';
import type { AnyKind } from '../config/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import { canHaveWorkers } from './kinds.ts';
import { hasLimits } from './limits.ts';
import { type Address, listenAddress } from './listen-address.ts';

/** What the command line says. */
export interface Flags {
  readonly port?: number | undefined;
  readonly workers?: number | undefined;
}

export interface Admitted {
  readonly address: Address;
  /** How many serve. */
  readonly processes: number;
}

/** What serves already. */
export interface InForce {
  readonly config: Config;
  readonly processes: number;
}

/**
 * @param inForce null at a start @param kinds that the config's experts are of
 * @throws UserError for what no start accepts, and for what only a restart may change
 */
export function admit(
  config: Config,
  flags: Flags,
  inForce: InForce | null,
  kinds: readonly AnyKind[] = EXPERT_KINDS,
): Admitted {
  const shareable = canHaveWorkers(config, kinds);
  const processes = processCount(shareable, config, flags);
  const admitted = { address: listenAddress(config, flags.port), processes };
  if (inForce !== null) refuseUnlessRestarted(config, inForce, shareable);
  return admitted;
}

function processCount(shareable: boolean, config: Config, { workers }: Flags): number {
  if (hasLimits(config) && config.limits.redis === undefined) {
    if (workers !== undefined && workers > 1)
      throw new UserError(
        `--workers ${workers}: the config limits keys without a Redis, and then one process counts; set limits: { redis: … }.`,
      );
    return 1;
  }
  if (shareable) return workers ?? availableParallelism();
  if (workers !== undefined && workers > 1) {
    throw new UserError(
      `--workers ${workers}: the config has embedded experts, which run in one process; every worker would load its own copy.`,
    );
  }
  return 1;
}

/** A start without keys moves to loopback; a listener that is open already cannot, so keys may change but not end. */
function refuseUnlessRestarted(config: Config, inForce: InForce, shareable: boolean): void {
  if (config.keys.length === 0 && inForce.config.keys.length > 0) {
    throw new UserError(
      'the config has lost its keys, and anyone who reaches the port could ask. Put them back, or restart to serve ' +
        'this machine alone without keys.',
    );
  }
  const kept = ({ limits: { redis, dir }, ...rest }: Config): string =>
    JSON.stringify([hasLimits(rest), redis, dir]);
  if (hasLimits(config) && kept(config) !== kept(inForce.config))
    throw new UserError('where limits are kept, and the first limit of all, take effect with a restart.');
  const { tls } = inForce.config;
  if (
    (config.tls === undefined) !== (tls === undefined) ||
    (config.tls?.client_ca === undefined) !== (tls?.client_ca === undefined)
  ) {
    throw new UserError(
      'the config now asks for another way to connect: `tls` and `client_ca` may get other files, but come and go only with a restart.',
    );
  }
  if (!shareable && inForce.processes > 1) {
    throw new UserError(
      `the config now has embedded experts, which run in one process, and ${inForce.processes} serve. Restart to serve it.`,
    );
  }
}
