/**
 * The command line: finds the verb, imports only its code, and turns errors into exit codes.
 * Data goes to standard output; progress, notes and errors go to standard error.
 */

import { Command, CommanderError } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { version } from '../core/shipped.ts';
import { UsageError } from './usage-error.ts';
import { VERBS } from './verbs.ts';

/** Exit codes, as documented in `--help`. */
const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** @param called the verb whose options are needed; only names are listed for the others */
async function program(called: string | undefined): Promise<Command> {
  const root = new Command('expert-router')
    .description('One OpenAI-compatible address that sends every prompt to the expert that serves it best.')
    .version(await versionText(called), '-v, --version', 'this build: version, commit, Node, router model')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router serve                              eight embedded experts on http://127.0.0.1:8080
  $ expert-router serve --config experts.yaml        your own experts
  $ expert-router chat                               talk in the terminal, see who answers and why
  $ expert-router route "How do I reverse a list?"   which expert, without calling it

Exit codes: 0 done; 1 failed (the message says why); 2 wrong usage; 130 interrupted.`,
    );
  for (const { name, summary, load } of VERBS) {
    const verb = name === called ? await load() : new Command(name);
    root.addCommand(strict(verb.description(summary)));
  }
  return root;
}

/** Reads the build facts only when needed, because that is slow. */
async function versionText(called: string | undefined): Promise<string> {
  if (called !== '-v' && called !== '--version') return version();
  return (await import('./build-facts.ts')).buildFacts();
}

/** Makes every verb reject unknown options with a suggestion, and throw instead of exiting. */
function strict(command: Command): Command {
  command.commands.forEach(strict);
  return command.showSuggestionAfterError().allowExcessArguments(false).exitOverride();
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
  const text =
    error instanceof UserError ? error.message : error instanceof Error ? error.stack : describeError(error);
  console.error(printable(text ?? describeError(error)));
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/**
 * When a reader such as `head -1` closes the pipe, a verb ends quietly; where nothing can be written, as on a full disk, it
 * has failed. A server keeps running: what it says is the least of what it does.
 */
function outliveOutput(called: string | undefined): void {
  const goesOn = VERBS.some(({ name, serves }) => serves && name === called);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (goesOn) return;
      if (error.code !== 'EPIPE' && stream === process.stdout)
        process.stderr.write(`The output could not be written: ${describeError(error)}.\n`);
      process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
    });
  }
}

const [first, second] = process.argv.slice(2);
const called = first === 'help' ? second : first;
outliveOutput(called);
try {
  await (await program(called)).exitOverride().parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
}
