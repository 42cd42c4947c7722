/** `expert-router key`: makes an API key and shows the lines that let it in. */
import { Command } from 'commander';
import { newKey } from '../serving/front/auth.ts';

export function keyCommand(): Command {
  return new Command('key')
    .description('make an API key and the config lines that accept it')
    .argument('[name]', 'whose key it is', 'me')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router key alice    the key is shown once; the config keeps only its hash`,
    )
    .action((name: string) => {
      const { key, hash } = newKey();
      console.log(
        `Key (shown only now):\n  ${key}\n\nIn the config:\nkeys:\n  - name: ${JSON.stringify(name)}\n    hash: ${hash}`,
      );
    });
}
