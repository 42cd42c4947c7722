/** `expert-router check`: whether a config is sound, before anything is served with it. */
import { Command } from 'commander';
import { assign, DEFAULT_CONFIG, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import { configJsonSchema } from '../serving/config/schema.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description('check a config: form, variables, router model, and who serves what')
    .argument('[config]', 'the config file; the built-in one when absent')
    .option('--schema', "print the config's JSON Schema, for editors")
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router check experts.yaml
  $ expert-router check --schema > expert-router.schema.json`,
    )
    .action(async (file: string | undefined, options: { schema?: boolean }) => {
      if (options.schema) console.log(JSON.stringify(configJsonSchema(), null, 2));
      else await check(file ?? DEFAULT_CONFIG);
    });
}

async function check(file: string): Promise<void> {
  const config = await loadConfig(file, process.env);
  const model = await loadRouterModel(config);
  const assignments = await assign(config, model);
  console.log(
    `${file} is sound: ${config.experts.length} experts, router model ${model.id} with ${model.clusters} clusters.`,
  );
  config.experts.forEach((expert, index) => {
    const served = assignments.filter((one) => one.expert === index).length;
    const role = expert.fallback ? ', the fallback' : '';
    const warning =
      served === 0 && !expert.fallback
        ? '  <- reached only by name: describe it, give samples, or name its clusters'
        : '';
    console.log(`  ${expert.id} (${expert.kind}): ${served} clusters${role}${warning}`);
  });
  if (!config.experts.some((expert) => expert.fallback)) {
    console.log(
      "  No expert is marked 'fallback: true': prompts outside everything known go to the nearest cluster's.",
    );
  }
}
