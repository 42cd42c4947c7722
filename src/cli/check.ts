/** `expert-router check`: validates a config before anything is served with it. */
import { Command } from 'commander';
import { warningsOf } from '../deciding/routing/warnings.ts';
import { assign, DEFAULT_CONFIG, loadRouterModel } from '../serving/app/compose.ts';
import { priceWarnings } from '../serving/app/limits.ts';
import { startWarnings } from '../serving/app/starts.ts';
import { loadConfig } from '../serving/config/load.ts';
import { configJsonSchema } from '../serving/config/schema.ts';
import { UsageError } from './usage-error.ts';

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly schema?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .argument('[config]', 'the config file, as --config')
    .option('-c, --config <file>', 'the config file; the built-in one when absent')
    .option('--json', 'machine-readable output')
    .option('--schema', "print the config's JSON Schema, for editors")
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router check experts.yaml
  $ expert-router check --config experts.yaml --json
  $ expert-router check --schema > expert-router.schema.json`,
    )
    .action(async (file: string | undefined, options: CheckOptions) => {
      if (options.schema) console.log(JSON.stringify(configJsonSchema(), null, 2));
      else await check(chosen(file, options.config), options.json ?? false);
    });
}

function chosen(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined)
    throw new UsageError(`${argument} and --config ${option}: give only one config.`);
  return option ?? argument ?? DEFAULT_CONFIG;
}

async function check(file: string, json: boolean): Promise<void> {
  const config = await loadConfig(file, process.env);
  const model = await loadRouterModel(config);
  const described = await assign(config, model);
  const { assignments } = described;
  const warnings = [
    ...warningsOf(config.experts, described),
    ...priceWarnings(config),
    ...startWarnings(config, file, process.env),
  ];
  const served = (index: number): number => assignments.filter((one) => one.expert === index).length;
  if (json) {
    const experts = config.experts.map(({ id, kind, fallback }, index) => ({
      id,
      kind,
      fallback,
      clusters: served(index),
    }));
    console.log(
      JSON.stringify(
        { config: file, router: model.id, clusters: model.clusters, experts, warnings },
        null,
        2,
      ),
    );
    return;
  }
  console.log(
    `${file} is valid: ${config.experts.length} experts, router model ${model.id} with ${model.clusters} clusters.`,
  );
  config.experts.forEach((expert, index) => {
    const role = expert.fallback ? ', the fallback' : '';
    console.log(`  ${expert.id} (${expert.kind}): ${served(index)} clusters${role}`);
  });
  for (const warning of warnings) console.log(`  ! ${warning}`);
}
