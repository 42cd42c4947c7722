/** `expert-router why`: a request's story by its trace id, as the dashboard tells it. */
import { Command } from 'commander';
import { printable } from '../core/printable.ts';
import { storyOf } from '../serving/board/story.ts';
import { englishStory } from '../serving/board/story-words.ts';
import type { Row } from '../serving/board/wire.ts';
import * as numbers from './plain-numbers.ts';
import { askRouter } from './remote.ts';
import { UsageError } from './usage-error.ts';

export function whyCommand(): Command {
  return new Command('why')
    .argument('<trace-id>', "an answer's header x-expert-router-trace-id")
    .option('-u, --url <url>', 'address of the router', 'http://127.0.0.1:8080')
    .option('-k, --key <key>', 'API key, if the router requires one (or set EXPERT_ROUTER_KEY)')
    .option('--json', 'machine-readable output: all that is known of it')
    .addHelpText(
      'after',
      `
A router remembers its latest 1,000 requests a process, those that still run too: of more than 25 a second a sample, and those
that failed, were tried again or were answered away from home. It keeps no word of them.

Examples:
  $ expert-router why 4bf92f3577b34da6a3ce929d0e0e4736
  $ expert-router why 4bf92f3577b34da6a3ce929d0e0e4736 --json | jq '.[0].choice.ranking'`,
    )
    .action(why);
}

async function why(
  id: string,
  options: { readonly url: string; readonly key?: string; readonly json?: boolean },
): Promise<void> {
  if (!/^[0-9a-f]{32}$/i.test(id)) throw new UsageError('A trace id is 32 hexadecimal digits.');
  const rows = (await (
    await askRouter(options, `/ui/api/trace/${id.toLowerCase()}`)
  ).json()) as readonly Row[];
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  else console.log(printable(rows.map(told).join('\n\n')));
}

function told(row: Row): string {
  return storyOf(row, { words: englishStory, numbers }).join('\n');
}
