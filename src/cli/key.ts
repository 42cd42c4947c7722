/** `expert-router key`: makes an API key and prints the config lines that accept it. */
import { Command } from 'commander';
import { newKey } from '../serving/front/auth.ts';

interface KeyOptions {
  readonly json?: boolean;
  readonly rotate?: boolean;
  readonly team?: string;
  readonly owner?: string;
  readonly expires?: string;
}

export function keyCommand(): Command {
  return new Command('key')
    .argument('[name]', 'whose key it is', 'me')
    .option('--rotate', 'a second secret for a key that there is: both are valid until the first is removed')
    .option('--team <name>', 'whose limits it shares')
    .option('--owner <name>', 'who answers for it')
    .option('--expires <date>', 'when it ends, such as 2027-01-31')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router key alice    the key is shown once; the config keeps only its hash
  $ expert-router key alice --team research --expires 2027-01-31
  $ expert-router key alice --rotate
  $ expert-router key alice --json | jq -r .hash`,
    )
    .action((name: string, options: KeyOptions) => {
      const { key, hash } = newKey();
      if (options.json) console.log(JSON.stringify({ name, key, hash, ...given(options) }, null, 2));
      else console.log(`Key (shown only now):\n  ${key}\n\n${configLines(name, hash, options)}`);
    });
}

function given({ team, owner, expires }: KeyOptions): Readonly<Record<string, string>> {
  return { ...(team && { team }), ...(owner && { owner }), ...(expires && { expires }) };
}

function configLines(name: string, hash: string, options: KeyOptions): string {
  if (options.rotate)
    return `In the config, at the key ${JSON.stringify(name)}:\n    next_hash: ${hash}\n\nOnce everybody uses the new key, make it 'hash' and remove 'next_hash'.`;
  const fields = Object.entries(given(options)).map(
    ([field, value]) => `\n    ${field}: ${JSON.stringify(value)}`,
  );
  return `In the config:\nkeys:\n  - name: ${JSON.stringify(name)}\n    hash: ${hash}${fields.join('')}`;
}
