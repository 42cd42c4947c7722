/** The command line: one file a verb; this one puts them together and turns errors into exit codes. */
import { Command, CommanderError } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { version } from '../core/shipped.ts';
import { assignCommand } from './assign.ts';
import { calibrateCommand } from './calibrate.ts';
import { chatCommand } from './chat.ts';
import { checkCommand } from './check.ts';
import { discoverCommand } from './discover.ts';
import { doctorCommand } from './doctor.ts';
import { emulateCommand } from './emulate.ts';
import { engineCommand } from './engine.ts';
import { expertsCommand } from './experts.ts';
import { inspectCommand } from './inspect.ts';
import { keyCommand } from './key.ts';
import { loadTestCommand } from './loadtest.ts';
import { planCommand } from './plan.ts';
import { pullCommand } from './pull.ts';
import { routeCommand } from './route.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { trainCommand } from './train.ts';
import { tritonCommand } from './triton.ts';

/** Exit codes, as `--help` states them. */
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

const VERBS = [
  serveCommand,
  chatCommand,
  expertsCommand,
  routeCommand,
  assignCommand,
  trainCommand,
  inspectCommand,
  checkCommand,
  doctorCommand,
  discoverCommand,
  emulateCommand,
  loadTestCommand,
  planCommand,
  engineCommand,
  simulateCommand,
  calibrateCommand,
  pullCommand,
  tritonCommand,
  keyCommand,
];

function program(): Command {
  const root = new Command('expert-router')
    .description('One OpenAI-compatible address that sends every prompt to the expert that serves it best.')
    .version(version(), '-v, --version')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router serve                              eight embedded experts on http://127.0.0.1:8080
  $ expert-router serve --config experts.yaml        your own experts
  $ expert-router chat                               talk in the terminal, see who answers and why
  $ expert-router route "How do I reverse a list?"   which expert, without asking it

Exit codes: 0 done; 1 failed (the message says why); 2 wrong usage; 130 interrupted.`,
    );
  for (const verb of VERBS) root.addCommand(inherit(verb()));
  return root;
}

/** Every verb refuses what it does not know, with a suggestion, and throws instead of exiting. */
function inherit(command: Command): Command {
  return command.showSuggestionAfterError().allowExcessArguments(false).exitOverride();
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
  console.error(
    error instanceof UserError ? error.message : error instanceof Error ? error.stack : describeError(error),
  );
  return EXIT.failed;
}

try {
  await program().exitOverride().parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
}
