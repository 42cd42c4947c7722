/** `expert-router top`: the last minute of a running router, every second, from the dashboard's own stream. */
import { Command } from 'commander';
import { UserError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { Frame, History } from '../serving/board/wire.ts';
import { askRouter } from './remote.ts';
import { Screen } from './top/screen.ts';

interface TopOptions {
  readonly url: string;
  readonly key?: string;
  readonly once?: boolean;
}

/** Puts the cursor in its corner and clears what is below (ECMA-48). */
const HOME = '\u001b[H\u001b[J';

export function topCommand(): Command {
  return new Command('top')
    .option('-u, --url <url>', 'address of the router', 'http://127.0.0.1:8080')
    .option('-k, --key <key>', 'API key, if the router requires one (or set EXPERT_ROUTER_KEY)')
    .option('--once', 'show it once and end')
    .addHelpText(
      'after',
      `
Figures are of the last minute. EXPECTED and WAITED: the mean time in the router's queue, as it was expected when the
expert was chosen, and as it was. CACHED: share of the prompt tokens that came from the engine's cache.

Examples:
  $ expert-router top
  $ expert-router top --once --url http://gateway:8080`,
    )
    .action(top);
}

async function top(options: TopOptions): Promise<void> {
  const response = await askRouter(options, '/ui/api/stream');
  const screen = new Screen();
  for await (const { name, data } of eventsOf(response)) {
    if (name === 'history') {
      screen.remember((JSON.parse(data) as History).seconds);
      continue;
    }
    const live = process.stdout.isTTY && !options.once;
    // The cursor stands in the last line.
    const room = live ? { columns: process.stdout.columns, rows: process.stdout.rows - 1 } : undefined;
    const text = printable(screen.draw(JSON.parse(data) as Frame, room));
    process.stdout.write(live ? `${HOME}${text}\n` : `${text}\n`);
    if (options.once) return;
  }
  throw new UserError('The router has ended the connection.');
}

async function* eventsOf(response: Response): AsyncGenerator<{ name: string; data: string }> {
  let held = '';
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (held + text).split('\n\n');
    held = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield { name: /^event: (.*)$/m.exec(event)?.[1] ?? 'message', data };
    }
  }
}
