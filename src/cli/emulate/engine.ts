/**
 * Chooses the engine that paces emulated experts: a simple one with given times, or the simulator's for a model and
 * GPU.
 */
import type { Pacer } from '../../load/emulator/pacer.ts';
import { simpleEngine } from '../../load/emulator/simple-pacer.ts';
import { simulatedEngine } from '../../load/emulator/simulated-pacer.ts';
import type { TimerWheel } from '../../load/emulator/timer-wheel.ts';
import { deployment, describeDeployment } from '../../simulating/deployment.ts';
import { requireFit } from '../../simulating/fit.ts';
import { findGpu } from '../../simulating/hardware/gpu.ts';
import { DEFAULT_LIMITS } from '../../simulating/memory.ts';
import { modelNamed } from '../plan/model-option.ts';
import { UsageError } from '../usage-error.ts';

/** Times are milliseconds. */
interface SimpleOptions {
  readonly ttft?: number;
  readonly prefill?: number;
  readonly tpot?: number;
  readonly tpotFull?: number;
  readonly tokensPerSecond?: number;
  readonly kvTokens?: number;
}

interface SimulatedOptions {
  readonly model?: string;
  readonly gpu?: string;
  readonly precision?: string;
  readonly tp?: number;
  readonly engine?: string;
  readonly slowDown?: number;
}

export interface EngineOptions extends SimpleOptions, SimulatedOptions {
  readonly maxBatch?: number;
}

export interface ChosenEngine {
  readonly make: (wheel: TimerWheel, now: () => number) => Pacer;
  /** A description for the user, or empty. */
  readonly words: string;
}

const SIMPLE = ['ttft', 'prefill', 'tpot', 'tpotFull', 'tokensPerSecond', 'kvTokens'] as const;
const SIMULATED = ['gpu', 'precision', 'tp', 'engine', 'slowDown'] as const;

/**
 * @throws {UserError} for an unknown or impossible deployment, one that does not fit, or options that exclude each
 * other
 */
export async function engineOf(options: EngineOptions): Promise<ChosenEngine> {
  const { model } = options;
  const conflicting = (model === undefined ? SIMULATED : SIMPLE).find((name) => options[name] !== undefined);
  if (conflicting && model === undefined) throw new UsageError(`${flag(conflicting)}: needs --model.`);
  if (conflicting)
    throw new UsageError(
      `${flag(conflicting)}: --model already determines the experts' speed; leave out one of the two.`,
    );
  if (options.maxBatch === 0) throw new UsageError('--max-batch: must be at least 1.');
  return model === undefined ? simple(options) : simulated(model, options);
}

/** `slowDown` → `--slow-down`. */
function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function simple(options: EngineOptions): ChosenEngine {
  const { ttft = 50, prefill = 20_000, maxBatch = 256, kvTokens = 500_000 } = options;
  const costs = {
    firstTokenMs: ttft,
    prefillPerSecond: prefill,
    perTokenMs: pace(options),
    maxBatch,
    kvTokens,
  };
  return { make: simpleEngine(costs), words: '' };
}

function pace({ tpot = 15, tpotFull, tokensPerSecond }: SimpleOptions): { alone: number; full: number } {
  if (tokensPerSecond !== undefined) return { alone: 1000 / tokensPerSecond, full: 1000 / tokensPerSecond };
  return { alone: tpot, full: tpotFull ?? 2 * tpot };
}

async function simulated(name: string, options: EngineOptions): Promise<ChosenEngine> {
  const { gpu = 'h100', tp = 1, engine = 'tensorrt-llm', slowDown = 1 } = options;
  const precision = options.precision ?? (findGpu(gpu).peak.fp8 ? 'fp8' : 'fp16');
  const names = { model: await modelNamed(name), gpu, precision, tensorParallel: tp, engine };
  const limits = { ...DEFAULT_LIMITS, maxBatch: options.maxBatch ?? DEFAULT_LIMITS.maxBatch };
  const d = deployment(names);
  const { kvTokens } = requireFit(d, limits, limits.blockTokens);
  const stretched = slowDown === 1 ? 'in real time' : `all times ${slowDown} times as long`;
  return {
    make: simulatedEngine(names, limits, slowDown),
    words:
      `Paced as simulated: ${describeDeployment(d)} each, ${engine}, ` +
      `${kvTokens.toLocaleString('en-US')} tokens of KV cache, ${stretched}.`,
  };
}
