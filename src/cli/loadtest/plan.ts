/** Turns the options of a load test into a plan: target, stages and prompts. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { describeError, UserError } from '../../core/errors.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import {
  fromCorpus,
  generated,
  type PromptSource,
  parseCorpus,
  type RequestOptions,
} from '../../load/loadtest/prompts.ts';
import type { StageOptions } from '../../load/loadtest/stage.ts';
import { TOPIC_COUNT } from '../../load/loadtest/topics.ts';
import { type Arrivals, checkArrivals } from '../../simulating/workload/arrivals.ts';
import { zipfShares } from '../../simulating/workload/clusters.ts';
import { checkLengths, type LengthModel, NAMED_LENGTHS } from '../../simulating/workload/lengths.ts';
import { parseTrace, type TracedRequest } from '../../simulating/workload/traces.ts';
import { UsageError } from '../usage-error.ts';

export interface LoadTestOptions {
  readonly users: string;
  readonly duration: number;
  readonly think: number;
  readonly ramp?: number;
  readonly rate?: number;
  readonly burst?: number;
  readonly trace?: string;
  readonly speedup: number;
  readonly prompts?: string;
  readonly lengths: string;
  readonly skew: number;
  readonly model: string;
  readonly key?: string;
  readonly header?: readonly string[];
  readonly stream: boolean;
  readonly maxTokens?: number;
  readonly exactLength?: boolean;
  readonly timeout: number;
  readonly drain: number;
  readonly maxInFlight: number;
  readonly maxRequests: number;
  readonly allowRemote?: boolean;
  readonly seed: number;
}

export interface LoadPlan {
  /** Scheme, host and port of the target. */
  readonly origin: URL;
  readonly stages: readonly StageOptions[];
  /** A description of the load for the report. */
  readonly words: string;
}

/** @throws {UserError} for invalid options, or a remote target without --allow-remote */
export async function planLoad(url: string, options: LoadTestOptions): Promise<LoadPlan> {
  const { origin, path } = targetOf(url, options.allowRemote === true);
  const traced =
    options.trace === undefined ? null : parseTrace(await readText('trace', options.trace), options.trace);
  const loads = arrivalsOf(options, traced);
  for (const arrivals of loads) checkArrivals(arrivals);
  if (!(options.duration > 0)) throw new UsageError('--duration: must be above 0.');
  const random = seededRandom(options.seed);
  const prompts = await promptsOf(options, random.fork(0));
  const ask = requestOptionsOf(options, path);
  const stages = loads.map((arrivals, index) => ({
    arrivals,
    traced,
    seconds: options.duration,
    rampSeconds: Math.min(options.ramp ?? Math.min(2, options.duration / 5), options.duration),
    drainSeconds: options.drain,
    timeoutMs: options.timeout * 1000,
    maxInFlight: options.maxInFlight,
    maxRequests: options.maxRequests,
    prompts,
    requestOptions: ask,
    random: random.fork(index + 1),
  }));
  return { origin, stages, words: inWords(options) };
}

function targetOf(text: string, allowRemote: boolean): { origin: URL; path: string } {
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    throw new UserError(`'${text}' is not an address; write it like http://127.0.0.1:8080.`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new UserError(`'${text}': the scheme must be http or https.`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowRemote && !isLoopback(host))
    throw new UserError(
      `${host} is another machine, and a load test can bring it down. If you may test it, add --allow-remote.`,
    );
  const base = url.pathname.replace(/(?<!\/)\/+$/, '').replace(/\/chat\/completions$/, '');
  const path = `${base === '' ? '/v1' : base}/chat/completions`;
  return { origin: new URL(url.origin), path };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function arrivalsOf(options: LoadTestOptions, traced: readonly TracedRequest[] | null): readonly Arrivals[] {
  const { rate, burst, speedup, think } = options;
  if (traced && rate !== undefined)
    throw new UsageError('--trace and --rate both define the arrivals; use only one.');
  if (burst !== undefined && rate === undefined) throw new UsageError('--burst needs --rate, the mean rate.');
  if (traced) return [{ kind: 'trace', times: traced.map(({ time }) => time / speedup) }];
  if (rate !== undefined && burst !== undefined)
    return [{ kind: 'bursts', perSecond: rate, factor: burst, busySeconds: 2, busyShare: 0.1 }];
  if (rate !== undefined) return [{ kind: 'poisson', perSecond: rate }];
  return options.users.split(',').map((text) => ({
    kind: 'closed',
    users: wholeUsers(text.trim()),
    thinkSeconds: think,
  }));
}

function wholeUsers(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--users: '${text}' is not a number of users; write 100 or a list such as 1,10,100.`);
}

async function promptsOf(options: LoadTestOptions, random: Random): Promise<PromptSource> {
  const maxTokens = options.maxTokens ?? null;
  if (options.prompts !== undefined)
    return fromCorpus(
      parseCorpus(await readText('prompts', options.prompts), options.prompts),
      maxTokens,
      random,
    );
  return generated(lengthsOf(options.lengths), zipfShares(TOPIC_COUNT, options.skew), maxTokens, random);
}

function lengthsOf(text: string): LengthModel {
  const fixed = /^(\d+):(\d+)$/.exec(text);
  const lengths: LengthModel | undefined = fixed
    ? {
        kind: 'independent',
        prompt: { kind: 'fixed', tokens: Number(fixed[1]) },
        output: { kind: 'fixed', tokens: Number(fixed[2]) },
      }
    : NAMED_LENGTHS[text];
  if (!lengths) {
    const names = Object.keys(NAMED_LENGTHS).join(', ');
    throw new UsageError(`--lengths: '${text}' is neither <prompt>:<answer> in tokens nor one of ${names}.`);
  }
  checkLengths(lengths);
  return lengths;
}

function requestOptionsOf(options: LoadTestOptions, path: string): RequestOptions {
  return {
    path,
    model: options.model,
    key: options.key ?? null,
    stream: options.stream,
    exactLength: options.exactLength === true,
    headers: Object.fromEntries((options.header ?? []).map(headerOf)),
  };
}

function headerOf(text: string): [string, string] {
  const match = /^([A-Za-z0-9-]+):\s*([\x20-\x7e]*)$/.exec(text);
  if (match) return [match[1]!.toLowerCase(), match[2]!];
  throw new UsageError(`--header: '${text}' is not of the form name: value.`);
}

function inWords(options: LoadTestOptions): string {
  const { prompts, lengths, skew, think, rate, burst, trace, speedup, maxTokens } = options;
  const what =
    prompts !== undefined
      ? `prompts of ${prompts}`
      : trace !== undefined
        ? 'lengths of the trace'
        : `lengths ${lengths}, topic skew ${skew}`;
  const limit = maxTokens === undefined ? '' : `, answers of up to ${maxTokens} tokens`;
  if (trace !== undefined) return `open loop: trace ${trace} at ${speedup}× speed, ${what}${limit}`;
  if (rate !== undefined)
    return `open loop: ${rate} requests/s ${burst === undefined ? 'Poisson' : `in bursts of ${burst}×`}, ${what}${limit}`;
  return `closed loop${think > 0 ? `, thinking ${think} s` : ''}, ${what}${limit}`;
}

async function readText(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--${what}: cannot read ${file}: ${describeError(cause)}`);
  }
}
