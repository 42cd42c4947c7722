/** `expert-router assign`: which expert serves which cluster, and why. */
import { Command } from 'commander';
import type { RouterModel } from '../deciding/model/router-model.ts';
import type { ClusterAssignment } from '../deciding/routing/assignment.ts';
import { assign, DEFAULT_CONFIG, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';

export function assignCommand(): Command {
  return new Command('assign')
    .option('-c, --config <file>', 'the config file; the built-in one when absent')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
How it is decided, for each cluster:
  1. an expert that names it under 'clusters' has it;
  2. else, if any expert has a 'description' or 'samples', the expert with the text nearest to the cluster's centre;
  3. else one to one, in the order of the config.

Examples:
  $ expert-router assign
  $ expert-router assign --config experts.yaml --json`,
    )
    .action(async (options: { config?: string; json?: boolean }) => {
      const config = await loadConfig(options.config ?? DEFAULT_CONFIG, process.env);
      const model = await loadRouterModel(config);
      const assignments = await assign(config, model);
      if (options.json)
        console.log(
          JSON.stringify(
            assignments.map((one) => asJson(config, model, one)),
            null,
            2,
          ),
        );
      else print(config, model, assignments);
    });
}

function asJson(config: Config, model: RouterModel, one: ClusterAssignment): Record<string, unknown> {
  return {
    cluster: one.cluster,
    name: model.names[one.cluster],
    expert: config.experts[one.expert]!.id,
    how: one.how,
    similarity: one.similarity,
    text: one.text,
    runner_up: one.runnerUp && {
      expert: config.experts[one.runnerUp.expert]!.id,
      similarity: one.runnerUp.similarity,
    },
  };
}

function print(config: Config, model: RouterModel, assignments: readonly ClusterAssignment[]): void {
  config.experts.forEach((expert, index) => {
    const served = assignments.filter((one) => one.expert === index);
    console.log(
      `\n${expert.id} (${expert.kind}${expert.fallback ? ', fallback' : ''}): ${served.length} clusters`,
    );
    for (const one of served) {
      console.log(
        `  ${String(one.cluster).padStart(3)}  ${model.names[one.cluster]}\n       ${why(config, one)}`,
      );
    }
  });
}

function why(config: Config, one: ClusterAssignment): string {
  const runnerUp = one.runnerUp
    ? `; next: ${config.experts[one.runnerUp.expert]!.id} ${one.runnerUp.similarity.toFixed(2)}`
    : '';
  switch (one.how) {
    case 'named':
      return 'named in the config';
    case 'one-to-one':
      return 'assigned in turn: no expert has a description';
    case 'fallback':
      return `fallback: the nearest text has a cosine of only ${one.similarity!.toFixed(2)}${runnerUp}`;
    case 'described':
      return `${one.similarity!.toFixed(2)} "${shorten(one.text!)}"${runnerUp}`;
  }
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
