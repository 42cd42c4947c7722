/**
 * The one judgement over a config, at a start and at every reload: where it may be served and by how many processes,
 * and whether it may follow the one in force. What a start would not do does not come by reload either.
 */
import { availableParallelism } from 'node:os';
import { UserError } from '../../core/errors.ts';
import type { Config } from '../config/schema.ts';
import { canHaveWorkers } from './compose.ts';
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
 * @param inForce null at a start
 * @throws UserError for what no start accepts, and for what only a restart may change
 */
export function admit(config: Config, flags: Flags, inForce: InForce | null): Admitted {
  const admitted = { address: listenAddress(config, flags.port), processes: processCount(config, flags) };
  if (inForce !== null) refuseUnlessRestarted(config, inForce);
  return admitted;
}

function processCount(config: Config, { workers }: Flags): number {
  if (canHaveWorkers(config)) return workers ?? availableParallelism();
  if (workers !== undefined && workers > 1) {
    throw new UserError(
      `--workers ${workers}: the config has embedded experts, which run in one process; every worker would load its own copy.`,
    );
  }
  return 1;
}

/** A start without keys moves to loopback; a listener that is open already cannot, so keys may change but not end. */
function refuseUnlessRestarted(config: Config, inForce: InForce): void {
  if (config.keys.length === 0 && inForce.config.keys.length > 0) {
    throw new UserError(
      'the config has lost its keys, and anyone who reaches the port could ask. Put them back, or restart to serve ' +
        'this machine alone without keys.',
    );
  }
  if (!canHaveWorkers(config) && inForce.processes > 1) {
    throw new UserError(
      `the config now has embedded experts, which run in one process, and ${inForce.processes} serve. Restart to serve it.`,
    );
  }
}
