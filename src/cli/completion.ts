/** `expert-router completion`: shell completion scripts, derived from the verbs themselves. */
import { Argument, Command } from 'commander';
import { bashScript, fishScript, type Known, zshScript } from './completion/scripts.ts';

/** What is read of a verb. */
interface Verb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const SCRIPTS: Readonly<Record<string, (verbs: readonly Known[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function completionCommand(verbs: readonly Verb[]): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'whose completion to print').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router completion bash > ~/.local/share/bash-completion/completions/expert-router
  $ expert-router completion zsh > ~/.zfunc/_expert-router      where fpath has ~/.zfunc
  $ expert-router completion fish > ~/.config/fish/completions/expert-router.fish`,
    )
    .action(async (shell: string) => {
      console.log(SCRIPTS[shell]!(await Promise.all(verbs.map(known))));
    });
}

async function known({ name, summary, load }: Verb): Promise<Known> {
  return asKnown((await load()).name(name), summary);
}

function asKnown(command: Command, summary: string): Known {
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  return {
    name: command.name(),
    summary,
    words: [
      ...command.commands.map((verb) => ({ text: verb.name(), about: verb.description() })),
      ...choices.map((text) => ({ text, about: '' })),
    ],
    options: command
      .createHelp()
      .visibleOptions(command)
      .concat(command.commands.flatMap((verb) => [...verb.options]))
      .filter(({ long }, at, all) => long && all.findIndex((other) => other.long === long) === at)
      .map(({ long, short, description, required, optional, argChoices = [] }) => ({
        long: long!,
        short: short ?? null,
        about: description,
        takesValue: required || optional,
        choices: argChoices,
      })),
  };
}
