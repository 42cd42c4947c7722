/** `expert-router discover`: finds engines on this machine and prints a config for them. */
import { Command } from 'commander';
import { parse } from 'yaml';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { printable } from '../core/printable.ts';
import { chosenKey, discover } from '../serving/discover/discover.ts';
import { CLOUDS, LOCAL_ADDRESSES } from '../serving/discover/look.ts';

interface DiscoverOptions {
  readonly out?: string;
  readonly json?: boolean;
  readonly useKey?: readonly string[];
}

export function discoverCommand(): Command {
  return new Command('discover')
    .option('-o, --out <file>', 'write the config to a file instead of printing it')
    .option('--json', 'machine-readable output')
    .option('--use-key <VARIABLE=MODEL...>', "add an expert for this cloud's model, billed to this key")
    .addHelpText(
      'after',
      `
Looks at, all at once and for less than a second:
${[...LOCAL_ADDRESSES].map(([address, engines]) => `  ${address.padEnd(24)} ${engines.join(', ')}`).join('\n')}
EXPERT_ROUTER_DISCOVER names other addresses, with commas between them, or is 'none'.
Keys in these variables are named, and used only where --use-key says so:
  ${CLOUDS.map(({ variable }) => variable).join(', ')}

Examples:
  $ expert-router discover
  $ expert-router discover --out experts.yaml
  $ expert-router discover --use-key OPENAI_API_KEY=gpt-5-mini`,
    )
    .action(run);
}

async function run({ out, json, useKey = [] }: DiscoverOptions): Promise<void> {
  const { yaml, found, left } = await discover(process.env, useKey.map(chosenKey));
  if (yaml === null) {
    for (const line of left) console.error(printable(line));
    throw new UserError(
      'No engine was found. Start one, or name its address in a config: experts: [{ id: mine, kind: openai, url: "http://host:8000" }]',
    );
  }
  if (out !== undefined) await writeFileAtomically(out, yaml);
  if (json) console.log(JSON.stringify({ found, left, config: parse(yaml) }, null, 2));
  else if (out === undefined) console.log(printable(yaml));
  if (out !== undefined) console.error(`Wrote ${out}. Serve it with: expert-router serve --config ${out}`);
}
