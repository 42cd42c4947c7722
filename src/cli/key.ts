/** `expert-router key`: makes an API key and prints the config lines that accept it. */
import { Command } from 'commander';
import { newKey } from '../serving/front/auth.ts';

export function keyCommand(): Command {
  return new Command('key')
    .argument('[name]', 'whose key it is', 'me')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router key alice    the key is shown once; the config keeps only its hash
  $ expert-router key alice --json | jq -r .hash`,
    )
    .action((name: string, { json }: { json?: boolean }) => {
      const { key, hash } = newKey();
      if (json) console.log(JSON.stringify({ name, key, hash }, null, 2));
      else
        console.log(
          `Key (shown only now):\n  ${key}\n\nIn the config:\nkeys:\n  - name: ${JSON.stringify(name)}\n    hash: ${hash}`,
        );
    });
}
