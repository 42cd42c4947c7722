/** What evaluation scripts have in common: the printing of user errors. */
import { UserError } from '../src/core/errors.ts';

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
