/** Options of every verb that reads outcomes, and the reading with its progress and notices. */
import { type Command, InvalidArgumentError } from 'commander';
import { amount, progressBar } from '../core/progress.ts';
import type { DescribedExpert } from '../deciding/routing/described.ts';
import { deidentifierOf } from '../deciding/text/identifiers/deidentify.ts';
import type { Outcomes } from '../learning/outcomes/outcomes.ts';
import { type KnownExpert, type OutcomeOptions, readOutcomes } from '../learning/outcomes/read.ts';
import type { Scale } from '../learning/outcomes/scale.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';

export interface OutcomeFlags {
  readonly config?: string;
  readonly field?: string;
  readonly task?: string;
  readonly label?: string;
  readonly scores?: readonly string[];
  readonly scale?: Scale;
  readonly rename?: Readonly<Record<string, string>>;
  readonly labelsOnly?: boolean;
  readonly deidentify?: boolean;
}

export function addOutcomeOptions(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'config whose experts the file is about; what they are described by then counts beside the scores',
    )
    .option('--field <name>', 'field or column that holds the prompt, if it has an unusual name')
    .option('--scores <columns...>', 'columns that are experts: their cells are scores')
    .option('--label <name>', 'field or column that names the right expert')
    .option(
      '--deidentify',
      'take names and numbers of people out of the prompts first; else as the config says',
    )
    .option('--task <name>', 'field or column that names the task, for means over tasks')
    .option(
      '--scale <low:high>',
      'scale of the scores, such as 1:5; found from their values when absent',
      scale,
    )
    .option(
      '--rename <pairs...>',
      'names in the file and the experts they are, as file-name=expert',
      renames,
    );
}

function scale(text: string): Scale {
  const [low, high, ...more] = text.split(':').map(Number);
  if (low === undefined || high === undefined || more.length > 0 || !(low < high))
    throw new InvalidArgumentError('expected two numbers, the lower one first, such as 1:5.');
  return { low, high };
}

function renames(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError('expected the name in the file, = and the expert, such as gpt-4o=strong.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Shows progress, and everything noteworthy about the file, on standard error. */
export async function outcomesFrom(
  files: readonly string[],
  flags: OutcomeFlags,
  more: Pick<OutcomeOptions, 'leastScores' | 'keepRepeats'> = {},
): Promise<Outcomes> {
  const { config, field, task, label, scores, scale: given, rename, labelsOnly } = flags;
  const about = config === undefined ? undefined : await loadConfig(config, process.env);
  const known = about && expertsOf(about);
  const deidentify = deidentifierOf(flags.deidentify ?? about?.deidentify ?? false);
  const bar = progressBar('reading', 'bytes');
  let bytes = 0;
  const outcomes = await readOutcomes(files, {
    ...more,
    ...(field === undefined ? {} : { field }),
    ...(task === undefined ? {} : { task }),
    ...(label === undefined ? {} : { label }),
    ...(scores === undefined ? {} : { scores }),
    ...(given === undefined ? {} : { scale: given }),
    ...(rename === undefined ? {} : { rename }),
    ...(labelsOnly === undefined ? {} : { labelsOnly }),
    ...(known === undefined ? {} : { known }),
    onBytes: (count) => {
      bytes += count;
      bar.update(bytes);
    },
  });
  bar.finish(`${amount(outcomes.prompts.length, 'items')} prompts`);
  for (const notice of outcomes.notices) process.stderr.write(`  note: ${notice}\n`);
  return deidentify ? { ...outcomes, prompts: outcomes.prompts.map(deidentify) } : outcomes;
}

/** The experts of `--config` as it describes them; none without one. */
export async function describedIn({
  config,
}: Pick<OutcomeFlags, 'config'>): Promise<readonly DescribedExpert[]> {
  return config === undefined ? [] : (await loadConfig(config, process.env)).experts;
}

function expertsOf({ experts }: Config): readonly KnownExpert[] {
  return experts.map((expert) => ({
    id: expert.id,
    ...('model' in expert && typeof expert.model === 'string' ? { model: expert.model } : {}),
  }));
}
