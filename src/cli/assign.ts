/** `expert-router assign`: which expert serves which cluster, why, where that is doubtful, and what a change moves. */
import { Command } from 'commander';
import type { RouterModel } from '../deciding/model/router-model.ts';
import type { ClusterAssignment } from '../deciding/routing/assignment.ts';
import type { Described } from '../deciding/routing/described.ts';
import { NOBODY } from '../deciding/routing/territory.ts';
import { doubtfulClusters, warningsOf } from '../deciding/routing/warnings.ts';
import { assign, DEFAULT_CONFIG, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';
import { printPromptMoves, promptMoves } from './assign-prompts.ts';
import { UsageError } from './usage-error.ts';

interface AssignOptions {
  readonly config?: string;
  readonly diff?: string;
  readonly prompts?: readonly string[];
  readonly json?: boolean;
}

export function assignCommand(): Command {
  return new Command('assign')
    .option('-c, --config <file>', 'the config file; the built-in one when absent')
    .option('--diff <file>', 'another config: show only the clusters that it would move')
    .option(
      '--prompts <paths...>',
      'with --diff: prompts, as train reads them; show which of them would move',
    )
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
How it is decided, for each cluster:
  1. an expert that names it under 'clusters' has it, and every prompt in it;
  2. else, if any expert has a 'description' or 'samples', who claims its centre: the expert whose texts are nearest, or
     the fallback, for which everything speaks that the experts' texts are not about;
  3. else the fallback; without one nobody, and conversations are spread evenly.
A prompt goes by its own words in the same way: the map shows what it amounts to.

Examples:
  $ expert-router assign
  $ expert-router assign --config experts.yaml --json
  $ expert-router assign --config experts.yaml --diff changed.yaml
  $ expert-router assign --config experts.yaml --diff retrained.yaml --prompts logs/`,
    )
    .action(async (options: AssignOptions) => {
      if (options.prompts) return showPromptMoves(options, options.prompts);
      const map = await mapOf(options.config ?? DEFAULT_CONFIG);
      if (options.diff !== undefined) printMoves(map, await mapOf(options.diff), options.json ?? false);
      else if (options.json)
        console.log(
          JSON.stringify(
            map.described.assignments.map((one) => asJson(map, one)),
            null,
            2,
          ),
        );
      else print(map);
    });
}

async function showPromptMoves(
  { config = DEFAULT_CONFIG, diff, json }: AssignOptions,
  paths: readonly string[],
): Promise<void> {
  if (diff === undefined)
    throw new UsageError('--prompts shows what a change moves: name the other config with --diff.');
  const found = await promptMoves(config, diff, paths);
  if (json) console.log(JSON.stringify(found, null, 2));
  else printPromptMoves(found);
}

/** A config, its router model, and who serves what with them. */
interface ExpertMap {
  readonly config: Config;
  readonly model: RouterModel;
  readonly described: Described;
}

async function mapOf(file: string): Promise<ExpertMap> {
  const config = await loadConfig(file, process.env);
  const model = await loadRouterModel(config);
  return { config, model, described: await assign(config, model) };
}

function ownerOf({ config }: ExpertMap, { expert }: ClusterAssignment): string {
  return expert === NOBODY ? 'nobody' : config.experts[expert]!.id;
}

function printMoves(before: ExpertMap, after: ExpertMap, json: boolean): void {
  if (before.model.id !== after.model.id) {
    throw new UsageError(
      `--diff: the two configs use different router models (${before.model.id}, ${after.model.id}), whose clusters cannot be compared. With --prompts, prompts are.`,
    );
  }
  const moves = before.described.assignments.flatMap((one, cluster) => {
    const [from, to] = [ownerOf(before, one), ownerOf(after, after.described.assignments[cluster]!)];
    return from === to ? [] : [{ cluster, name: before.model.names[cluster]!, from, to }];
  });
  if (json) console.log(JSON.stringify(moves, null, 2));
  else if (moves.length === 0) console.log('No cluster moves.');
  else
    for (const { cluster, name, from, to } of moves)
      console.log(`${numbered(cluster, name)}: ${from} -> ${to}`);
}

function numbered(cluster: number, name: string): string {
  return `  ${String(cluster).padStart(3)}  ${name}`;
}

function asJson(map: ExpertMap, one: ClusterAssignment): Record<string, unknown> {
  return {
    cluster: one.cluster,
    name: map.model.names[one.cluster],
    expert: one.expert === NOBODY ? null : ownerOf(map, one),
    how: one.how,
    similarity: one.similarity,
    text: one.text,
    runner_up: one.runnerUp && {
      expert: map.config.experts[one.runnerUp.expert]!.id,
      similarity: one.runnerUp.similarity,
      affinity: one.runnerUp.affinity,
    },
    doubtful: doubtfulClusters(map.described).includes(one.cluster),
  };
}

function print(map: ExpertMap): void {
  const { config, model, described } = map;
  const doubtful = new Set(doubtfulClusters(described));
  const section = (title: string, served: readonly ClusterAssignment[]): void => {
    console.log(`\n${title}: ${served.length} clusters`);
    for (const one of served) {
      const mark = doubtful.has(one.cluster) ? '  (doubtful)' : '';
      console.log(`${numbered(one.cluster, model.names[one.cluster]!)}${mark}\n       ${why(config, one)}`);
    }
  };
  config.experts.forEach(({ id, kind, fallback }, index) => {
    section(
      `${id} (${kind}${fallback ? ', fallback' : ''})`,
      described.assignments.filter((one) => one.expert === index),
    );
  });
  const unowned = described.assignments.filter((one) => one.expert === NOBODY);
  if (unowned.length > 0) section('nobody', unowned);
  const warnings = warningsOf(config.experts, described);
  if (warnings.length > 0) console.log(`\n${warnings.map((warning) => `! ${warning}`).join('\n')}`);
}

function why(config: Config, one: ClusterAssignment): string {
  const runnerUp = one.runnerUp
    ? `; next: ${config.experts[one.runnerUp.expert]!.id} at ${Math.round(100 * one.runnerUp.affinity)} %`
    : '';
  switch (one.how) {
    case 'named':
      return 'named in the config';
    case 'nobody':
      return 'no expert has a description, samples or clusters';
    case 'fallback':
      return `no expert's texts are about it${runnerUp}`;
    case 'described':
      return `${one.similarity!.toFixed(2)} "${shorten(one.text!)}"${runnerUp}`;
  }
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
