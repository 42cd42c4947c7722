/** Options that several verbs share: mean lengths of the load, and the engine's limits. */
import type { Command } from 'commander';
import { seededRandom } from '../../core/random.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../../simulating/memory.ts';
import type { MeanLengths } from '../../simulating/steady-state.ts';
import {
  type LengthDistribution,
  type LengthModel,
  meanLengths,
  NAMED_LENGTHS,
} from '../../simulating/workload/lengths.ts';
import { UsageError } from '../usage-error.ts';
import { amountOf } from './options.ts';

export interface LoadOptions {
  readonly input?: string;
  readonly output?: string;
  readonly lengths?: string;
  readonly maxBatch: string;
  readonly maxTokens: string;
  readonly kvFraction: string;
}

const USUAL = { input: '1000', output: '200' } as const;

export function withLengths(command: Command): Command {
  return command
    .option('--input <tokens>', `mean prompt length, ${USUAL.input} when absent`)
    .option('--output <tokens>', `mean answer length, ${USUAL.output} when absent`)
    .option('--lengths <name>', `named lengths instead: ${Object.keys(NAMED_LENGTHS).join(', ')}`);
}

export function withLimits(command: Command): Command {
  return command
    .option('--max-batch <n>', "the engine's limit of sequences per step", String(DEFAULT_LIMITS.maxBatch))
    .option('--max-tokens <n>', "the engine's limit of tokens per step", String(DEFAULT_LIMITS.maxTokens))
    .option(
      '--kv-fraction <share>',
      'share of the free memory given to the cache',
      String(DEFAULT_LIMITS.kvFraction),
    );
}

/** @throws {UserError} naming the invalid option */
export function limitsOf(options: LoadOptions): EngineLimits {
  const kvFraction = amountOf('--kv-fraction', options.kvFraction);
  if (kvFraction >= 1) throw new UsageError(`--kv-fraction: must be below 1, is ${kvFraction}.`);
  return {
    ...DEFAULT_LIMITS,
    maxBatch: amountOf('--max-batch', options.maxBatch, 'whole'),
    maxTokens: amountOf('--max-tokens', options.maxTokens, 'whole'),
    kvFraction,
  };
}

export interface PlannedLengths {
  readonly mean: MeanLengths;
  readonly model: LengthModel;
}

/** Lengths given as means vary as answers of one kind do: half as long again for one in twenty. */
const SPREAD = 1.5;

function around(mean: number): LengthDistribution {
  // The median of such a log-normal lies 3 % below its mean.
  const median = Math.max(1, Math.round(mean * 0.97));
  return { kind: 'lognormal', median, p95: Math.max(median, Math.round(SPREAD * median)), max: 3 * median };
}

/** @throws {UserError} naming the option at fault. */
export function lengthsOf(options: LoadOptions): PlannedLengths {
  const { input, output } = options;
  if (options.lengths === undefined) {
    const mean = {
      promptTokens: amountOf('--input', input ?? USUAL.input, 'whole'),
      outputTokens: amountOf('--output', output ?? USUAL.output, 'whole'),
    };
    const model: LengthModel = {
      kind: 'independent',
      prompt: around(mean.promptTokens),
      output: around(mean.outputTokens),
    };
    return { mean, model };
  }
  if (input !== undefined || output !== undefined)
    throw new UsageError(
      '--lengths: names the lengths of prompts and answers; leave out --input and --output.',
    );
  const named = NAMED_LENGTHS[options.lengths];
  if (!named)
    throw new UsageError(
      `--lengths: "${options.lengths}" is not known. Known: ${Object.keys(NAMED_LENGTHS).join(', ')}.`,
    );
  const { promptTokens, outputTokens } = meanLengths(named, seededRandom(1));
  return {
    mean: { promptTokens: Math.round(promptTokens), outputTokens: Math.round(outputTokens) },
    model: named,
  };
}
