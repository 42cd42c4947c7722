/** Shared by the evaluation scripts: the location of the reference data, and the printing of user errors. */
import { join } from 'node:path';
import { UserError } from '../src/core/errors.ts';

/** The folder of reference data: a sibling of the repository unless `EXPERT_ROUTER_SHARED` says otherwise. */
export function sharedFolder(): string {
  return process.env.EXPERT_ROUTER_SHARED ?? '../shared';
}

export function calibrationFolder(argument: string | undefined): string {
  return argument ?? join(sharedFolder(), 'data/calibration');
}

/** Runs a script's body; a UserError ends it with only its message. */
export async function runScript(body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
