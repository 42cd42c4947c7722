/**
 * The calibration tables as typed rows: deployment, load and measurements, without unusable rows, which are listed with
 * reasons.
 */
import type { MeasuredEngine } from '../../src/simulating/cost/efficiency.ts';
import { type Deployment, deployment } from '../../src/simulating/deployment.ts';
import type { AdmissionRule } from '../../src/simulating/engine/scheduler.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../../src/simulating/memory.ts';
import { type Row, readTable } from './csv.ts';

export interface CalibrationRow {
  /** Of AIConfigurator's sample. */
  readonly id?: string;
  readonly deployment: Deployment;
  /**
   * `max-throughput`: all requests offered at once; `closed-loop`: constant users; `static`: one batch; `first-token`:
   * one prompt.
   */
  readonly kind: 'max-throughput' | 'closed-loop' | 'static' | 'first-token';
  readonly version: string;
  readonly input: number;
  readonly output: number;
  /** Users, or the batch of a static run; Infinity for unlimited offered load. */
  readonly concurrency: number;
  /** Requests of the whole run. */
  readonly requests: number;
  readonly harness: Harness;
  /** What the engine was built and started with. */
  readonly build: Build;
  readonly measured: {
    /** Output tokens per second of the whole group. */
    readonly throughput?: number;
    /** Mean seconds per output token after the first. */
    readonly tpot?: number;
    /** Mean seconds to the first token. */
    readonly ttft?: number;
  };
}

/** An engine's limits and habits, as its page or the program that built it states them; else its defaults. */
export interface Build {
  readonly limits: EngineLimits;
  readonly admission: AdmissionRule;
  /** Whether every token is sent by itself. */
  readonly streaming: boolean;
  /** Whether attention can decode on tensor cores. */
  readonly tensorCores: boolean;
}

/** How a published run was driven: habits of the measuring program, which are no constants of the engine. */
export interface Harness {
  readonly name: string;
  /** Lengths vary evenly between these multiples of `input` and `output`. */
  readonly lengths: { readonly low: number; readonly high: number };
  /** Users beyond the sequences that the engine was started for: one of them is always waiting. */
  readonly waiting: number;
  /** The first tokens reach the client with the one of this number: engines may send tokens in lots. */
  readonly firstLot: number;
  /** Output tokens a second that the server's front end relays at most. */
  readonly frontEnd: number;
}

export interface Excluded {
  readonly reason: string;
  readonly rows: number;
}

export interface Calibration {
  readonly rows: readonly CalibrationRow[];
  readonly excluded: readonly Excluded[];
}

const MODELS: Readonly<Record<string, string>> = {
  'LLaMA v2 7B': 'llama-2-7b',
  'LLaMA v2 13B': 'llama-2-13b',
  'LLaMA v2 70B': 'llama-2-70b',
  'LLaMA v3 8B': 'llama-3-8b',
  'LLaMA v3 70B': 'llama-3-70b',
  'LLaMA v3.1 8B': 'llama-3.1-8b',
  'LLaMA v3.1 70B': 'llama-3.1-70b',
  'Mistral 7B': 'mistral-7b',
  'Mixtral 8x7B': 'mixtral-8x7b',
  'GPTJ 6B': 'gpt-j-6b',
  'GPT-J 6B': 'gpt-j-6b',
  'Falcon 180B': 'falcon-180b',
  'meta-llama/Llama-3.1-8B-Instruct': 'llama-3.1-8b',
  'meta-llama/Llama-3.1-70B': 'llama-3.1-70b',
};

const GPUS: Readonly<Record<string, string>> = {
  'A100-SXM4-80GB': 'a100',
  'A100-PCIE-80GB': 'a100-pcie',
  H100: 'h100',
  H200: 'h200',
  GH200: 'gh200',
  L40S: 'l40s',
  h100_sxm: 'h100',
  h200_sxm: 'h200',
  b200_sxm: 'b200',
};

/** Requests per run that TensorRT-LLM's performance pages state for trtllm-bench, by input/output length. */
const BENCH_REQUESTS: Readonly<Record<string, number>> = {
  '128/128': 30_000,
  '128/2048': 3000,
  '128/4096': 1500,
  '500/2000': 3000,
  '1000/1000': 3000,
  '2048/128': 3000,
  '2048/2048': 1500,
  '5000/500': 1500,
  '20000/2000': 1000,
};

/**
 * Requests of a closed-loop run, which the rows do not state. Ten rounds of all users are usual; TensorRT-LLM's 8B rows look as
 * if the number were the same for any users, so that the first rush weighs more with more of them.
 */
const ROUNDS = 10;
const SAME_FOR_ALL = 1000;
const EXACT = { low: 1, high: 1 };
const OFFLINE: Harness = {
  name: 'offline',
  lengths: EXACT,
  waiting: 0,
  firstLot: 1,
  frontEnd: Number.POSITIVE_INFINITY,
};

/**
 * Closed-loop runs by where they come from. None states its habits; what is said here can be read off the rows:
 * - 70B rows have lengths, users and versions of a public benchmark that draws lengths of 80 to 100 %. At 1024/1024 over
 *   one and two GPUs every first token comes 18 to 20 steps late, at all loads, and over eight GPUs none does: tokens
 *   were sent in lots of 20 there.
 * - TensorRT-LLM's 8B rows wait a whole answer's time divided by the users longer than the engine needs: one user more
 *   than the engine had places for. Nothing beyond 9,200 tokens/s was relayed.
 */
function harnessOf(row: Row): Harness {
  const base: Harness = { ...OFFLINE, name: 'closed loop', lengths: { low: 0.8, high: 1.2 } };
  if (row.version === ONE_WAITS) return { ...base, name: 'one waits', waiting: 1, frontEnd: 9_200 };
  const lots =
    row.version === 'trtllm' && row.input_len === '1024' && row.output_len === '1024' && Number(row.tp) < 8;
  return { ...base, name: lots ? 'in lots' : 'drawn lengths', lengths: DRAWN, firstLot: lots ? 20 : 1 };
}
const DRAWN = { low: 0.8, high: 1 };
const ONE_WAITS = 'trtllm 1.0.0rc3';

const BUILT: Build = {
  limits: DEFAULT_LIMITS,
  admission: 'guaranteed-no-evict',
  streaming: false,
  tensorCores: true,
};
/** Versions before XQA kernels: the 2.4 times that TensorRT-LLM's page on them states are 0.7a's row in the table. */
const BEFORE_XQA = /^0\.[56]\b/;

/**
 * Sequences and tokens in a step that trtllm-bench 0.14 built its engines for (tensorrt_llm/bench/build/
 * benchmark_config.yml at 8fcf9fc), by layers, degree and, where it names one, tokens of a request.
 */
const BENCH_BUILDS: Readonly<Record<string, readonly [batch: number, tokens: number]>> = {
  '80 TP1': [2048, 2048],
  '80 TP2': [256, 1024],
  '80 TP2 4096': [2048, 1024],
  '80 TP4': [2048, 1024],
  '80 TP8': [8192, 16_384],
  '32 TP1': [2048, 8192],
};

/** The page of 0.10 states its command lines; those of 0.14 had trtllm-bench choose. */
function buildOf(d: Deployment, version: string, tokens: number): Build {
  const within = (maxBatch: number, maxTokens: number): EngineLimits => ({
    ...DEFAULT_LIMITS,
    maxBatch,
    maxTokens,
  });
  if (d.engine === 'vllm') return { ...BUILT, admission: 'optimistic' };
  if (version === '0.10.0')
    return { ...BUILT, limits: within(2048, 2048), admission: 'optimistic', streaming: true };
  if (version !== '0.14.0') return { ...BUILT, tensorCores: !BEFORE_XQA.test(version) };
  const key = `${d.model.layers} TP${d.tensorParallel}`;
  const built = BENCH_BUILDS[`${key} ${tokens}`] ?? BENCH_BUILDS[key];
  return built ? { ...BUILT, limits: within(...built) } : BUILT;
}

function engineOf(version: string): string {
  if (version.startsWith('vllm')) return 'vllm';
  const minor = /^(?:TensorRT-LLM )?0\.(\d+)/.exec(version)?.[1];
  if (minor === undefined || Number(minor) >= 16) return 'tensorrt-llm';
  return Number(minor) >= 11 ? 'tensorrt-llm-0.14' : 'tensorrt-llm-0.10';
}

function deploymentOf(row: Row): Deployment {
  // AIConfigurator's 8B rows on H100 state no precision; the checkpoint's name is that of the 16-bit weights.
  const stated = row.precision === 'not stated' ? 'bf16' : row.precision!;
  return deployment({
    model: MODELS[row.model!]!,
    gpu: GPUS[row.gpu!]!,
    precision: stated,
    tensorParallel: Number(row.tp),
    engine: engineOf(row.version!),
  });
}

function throughputRow(row: Row): CalibrationRow {
  const batch = Number.parseInt(row.batch!, 10);
  const fixed = Number.isFinite(batch);
  const lengths = `${row.input_len}/${row.output_len}`;
  const d = deploymentOf(row);
  return {
    deployment: d,
    kind: fixed ? 'static' : 'max-throughput',
    version: row.version!,
    input: Number(row.input_len),
    output: Number(row.output_len),
    concurrency: fixed ? batch : Number.POSITIVE_INFINITY,
    requests: fixed ? batch : row.version === '0.10.0' ? 2000 : (BENCH_REQUESTS[lengths] ?? 3000),
    harness: OFFLINE,
    build: buildOf(d, row.version!, Number(row.input_len) + Number(row.output_len)),
    measured: { throughput: Number(row.tokens_per_s_system) },
  };
}

function latencyRow(row: Row): CalibrationRow {
  const concurrency = Number(row.concurrency);
  const first = Number(row.output_len) === 1;
  const milliseconds = (text: string | undefined): number | undefined =>
    text ? Number(text) / 1000 : undefined;
  const [ttft, tpot] = [milliseconds(row.ttft_ms), milliseconds(row.tpot_ms)];
  const d = deploymentOf(row);
  const tokens = Number(row.input_len) + Number(row.output_len);
  return {
    ...(row.id ? { id: row.id } : {}),
    deployment: d,
    kind: first ? 'first-token' : 'closed-loop',
    version: row.version!,
    input: Number(row.input_len),
    output: Number(row.output_len),
    concurrency,
    requests: first ? 1 : row.version === ONE_WAITS ? SAME_FOR_ALL : ROUNDS * concurrency,
    harness: first ? OFFLINE : harnessOf(row),
    build: { ...buildOf(d, row.version!, tokens), streaming: !first },
    measured: { ...(ttft ? { ttft } : {}), ...(tpot ? { tpot } : {}) },
  };
}

/** Why a row cannot be predicted or trusted; null when it can. */
function reasonToExclude(row: Row): string | null {
  if (row.version?.startsWith('sglang'))
    return 'SGLang: one 8B model labelled FP8 that decodes at the pace of 16-bit weights and reads prompts at that of 8-bit ones; no profile can follow';
  if (
    row.version === '0.10.0' &&
    row.model === 'GPTJ 6B' &&
    row.gpu === 'H100' &&
    row.tokens_per_s_system?.startsWith('54939')
  )
    return 'misprint: GPT-J FP8 on H100 at 128/2048 beats its own 128/128 figure';
  return null;
}

/** All published rows, of one engine where it is named. */
export function readCalibration(engine?: MeasuredEngine): Calibration {
  const reasons = new Map<string, number>();
  const usable = (row: Row): boolean => {
    const reason = reasonToExclude(row);
    if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return reason === null;
  };
  const throughput = readTable('throughput').filter(usable).map(throughputRow);
  const latency = readTable('latency').filter(usable).map(latencyRow);
  const rows = [...throughput, ...latency].filter(
    ({ deployment: d }) => engine === undefined || d.engine === engine,
  );
  const excluded = [...reasons].map(([reason, rows]) => ({ reason, rows }));
  return { rows, excluded };
}
