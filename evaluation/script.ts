/** What evaluation scripts have in common: where the reference data are, and the printing of user errors. */
import { UserError } from '../src/core/errors.ts';

/** @throws UserError where neither an argument nor `EXPERT_ROUTER_CALIBRATION` names the folder of published rows */
export function calibrationFolder(argument: string | undefined): string {
  const folder = argument ?? process.env.EXPERT_ROUTER_CALIBRATION;
  if (folder !== undefined) return folder;
  throw new UserError(
    'The published measurements are not part of this repository: name their folder, as in `npm run fit -- FOLDER`, or in EXPERT_ROUTER_CALIBRATION.',
  );
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
