/** `expert-router experts`: shows the state of a running router's experts as a table, from `GET /v1/experts`. */
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { UserError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { type ExpertBody, expertsTable } from './experts/table.ts';
import { askRouter } from './remote.ts';

interface ExpertsOptions {
  readonly url: string;
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

const WATCH_EVERY_MS = 1_000;
/** Clears the screen and puts the cursor in its corner (ECMA-48). */
const CLEAR = '\u001b[2J\u001b[H';

export function expertsCommand(): Command {
  return new Command('experts')
    .option('-u, --url <url>', 'address of the router', 'http://127.0.0.1:8080')
    .option('-k, --key <key>', 'API key, if the router requires one (or set EXPERT_ROUTER_KEY)')
    .option('-w, --watch', 'refresh every second, until Ctrl-C')
    .option('--json', 'machine-readable output, as from GET /v1/experts; with --watch, one line per second')
    .addHelpText(
      'after',
      `
Columns: OURS requests of this router, of its limit; QUEUE those that wait here; RUN, WAIT and KV what the engine
itself reports (docs/load-signals.md); OTHERS requests there that are not ours; TOK/S tokens a second while at work.

Examples:
  $ expert-router experts
  $ expert-router experts --watch
  $ expert-router experts --url http://gateway:8080 --json`,
    )
    .action(show);
}

async function show(options: ExpertsOptions): Promise<void> {
  do {
    const data = await experts(options);
    if (options.json) console.log(JSON.stringify(data, null, options.watch ? 0 : 2));
    else console.log(`${options.watch && process.stdout.isTTY ? CLEAR : ''}${printable(expertsTable(data))}`);
    if (options.watch) await pause(WATCH_EVERY_MS);
  } while (options.watch);
}

async function experts(options: ExpertsOptions): Promise<ExpertBody[]> {
  const { data } = (await (await askRouter(options, '/v1/experts')).json()) as { data?: ExpertBody[] };
  if (data) return data;
  throw new UserError(`${options.url} is not an Expert Router: it lists no experts.`);
}
