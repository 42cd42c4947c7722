/** `expert-router inspect`: shows what a router model has learned, as a table or as JSON. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { amount } from '../core/progress.ts';
import { readRouterModel } from '../deciding/model/artefact.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import { type Fit, fitOf, type Quality } from '../deciding/quality/quality.ts';

const EXAMPLES = `
Examples:
  $ expert-router inspect router.safetensors
  $ expert-router inspect router.safetensors --cluster 7
  $ expert-router inspect router.safetensors --json | jq '.clusters[].name'`;

interface InspectFlags {
  readonly json?: boolean;
  readonly cluster?: string;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .argument('<model>', 'a router model (.safetensors)')
    .option('--cluster <number>', 'show all details of one cluster')
    .option('--json', 'machine-readable output')
    .addHelpText('after', EXAMPLES)
    .action(inspect);
}

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new UserError(`Cannot read the router model ${path}: ${describeError(error)}`, { cause: error });
  }
  let model: RouterModel;
  try {
    model = readRouterModel(bytes);
  } catch (error) {
    throw new UserError(`${path}: ${describeError(error)}`, { cause: error });
  }
  process.stdout.write(`${described(model, bytes.length, flags)}\n`);
}

function described(model: RouterModel, bytes: number, flags: InspectFlags): string {
  if (flags.cluster !== undefined) return oneCluster(model, flags.cluster, flags.json ?? false);
  return flags.json ? JSON.stringify(asJson(model, bytes), null, 2) : asTable(model, bytes);
}

function asJson(model: RouterModel, bytes: number): object {
  const { id, embedding, facts } = model;
  const clusters = model.names.map((_, cluster) => clusterJson(model, cluster));
  const { dimensions } = embedding;
  return { id, bytes, embedding: embedding.id, dimensions, facts, clusters };
}

function clusterJson(model: RouterModel, cluster: number): object {
  return {
    cluster,
    name: model.names[cluster],
    size: model.sizes[cluster],
    radius: model.calibration.radii[cluster],
    terms: model.topWords[cluster],
    examples: model.examples[cluster],
    ...(model.quality
      ? { scores: scoresJson(model.quality, centroidFit(model, model.quality, cluster)) }
      : {}),
  };
}

/** What was learned of the experts at the centre of a cluster. */
function centroidFit({ centroids, dimensions }: RouterModel, quality: Quality, cluster: number): Fit {
  const centroid = centroids.slice(cluster * dimensions, (cluster + 1) * dimensions);
  const length = Math.hypot(...centroid) || 1;
  return fitOf(
    quality,
    centroid.map((value) => value / length),
  );
}

function scoresJson({ experts }: Quality, { scores, standardErrors }: Fit): object {
  const entries = experts.map((expert, index) => [
    expert,
    { score: scores[index], standard_error: standardErrors[index] },
  ]);
  return Object.fromEntries(entries);
}

/** `code 0.81 ± 0.02, general 0.74 ± 0.02`, the best first. */
function scoresText({ experts }: Quality, { scores, standardErrors }: Fit, most: number): string {
  return experts
    .map((expert, index) => ({ expert, score: scores[index]!, error: standardErrors[index]! }))
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ expert, score, error }) => `${expert} ${score.toFixed(2)} ± ${error.toFixed(2)}`)
    .join(', ');
}

function asTable(model: RouterModel, bytes: number): string {
  const { facts } = model;
  const width = Math.max(...[...model.sizes].map((size) => amount(size, 'items').length), 5);
  const rows = model.names.map((name, cluster) => {
    const size = amount(model.sizes[cluster]!, 'items').padStart(width);
    const more = model.topWords[cluster]!.slice(3, 9).join(' ');
    const scores = model.quality
      ? `\n${' '.repeat(width + 8)}${scoresText(model.quality, centroidFit(model, model.quality, cluster), 3)}`
      : '';
    return `${String(cluster).padStart(4)}  ${size}  ${name}${more ? `   (${more})` : ''}${scores}`;
  });
  return [
    `router model ${model.id}: ${model.clusters} clusters of ${amount(facts.prompts, 'items')} prompts, ` +
      `${model.embedding.id} embedding of ${model.dimensions} dimensions, ${amount(bytes, 'bytes')}`,
    ...Object.entries(facts.more).map(([name, value]) => `  ${name}: ${value}`),
    '',
    ...rows,
  ].join('\n');
}

function oneCluster(model: RouterModel, text: string, json: boolean): string {
  const cluster = model.names.includes(text) ? model.names.indexOf(text) : Number(text);
  if (!Number.isInteger(cluster) || cluster < 0 || cluster >= model.clusters) {
    throw new UserError(`No cluster ${text}; the model has 0 … ${model.clusters - 1}`);
  }
  if (json) return JSON.stringify(clusterJson(model, cluster), null, 2);
  const examples = model.examples[cluster]!;
  return [
    `cluster ${cluster}: ${model.names[cluster]}`,
    `  ${amount(model.sizes[cluster]!, 'items')} training prompts`,
    `  terms: ${model.topWords[cluster]!.join(' ')}`,
    ...(model.quality
      ? [
          `  scores: ${scoresText(model.quality, centroidFit(model, model.quality, cluster), Number.POSITIVE_INFINITY)}`,
        ]
      : []),
    ...(examples.length > 0
      ? ['  nearest prompts:', ...examples.map((one) => `    ${one}`)]
      : ['  no examples in the model; train with --keep-examples to store some']),
  ].join('\n');
}
