/**
 * `expert-router emulate`: emulated experts without a model, one HTTP server each, with configurable speed and
 * misbehaviour.
 */
import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { writeFileAtomically } from '../core/files.ts';
import { shipped } from '../core/shipped.ts';
import type { Mishap } from '../load/emulator/server.ts';
import { type EmulatedServers, startEmulatedServers } from '../load/emulator/servers.ts';
import { describeMisbehaviours, planOf } from '../serving/experts/emulated/misbehaviour.ts';
import { ENGINES } from '../simulating/deployment.ts';
import { GPU_NAMES } from '../simulating/hardware/gpu.ts';
import { PRECISION_NAMES } from '../simulating/hardware/precision.ts';
import { DEFAULT_LIMITS } from '../simulating/memory.ts';
import { emulatedConfig, type Subject, subjectsOf } from './emulate/config.ts';
import { type EngineOptions, engineOf } from './emulate/engine.ts';
import { count, duration, positive } from './numbers.ts';
import { UsageError } from './usage-error.ts';

interface EmulateOptions extends EngineOptions {
  readonly experts: number;
  readonly configOut?: string;
  readonly host: string;
  readonly port: number;
  readonly outputTokens: number;
  readonly misbehave?: readonly Mishap[];
  readonly seed: number;
  readonly maxLoras?: number;
  readonly loraLoad?: number;
  readonly json?: boolean;
}

export function emulateCommand(): Command {
  return new Command('emulate')
    .option('--experts <n>', 'number of experts, on consecutive ports', count, 8)
    .option('--config-out <file>', 'write a router config that serves them')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'the first port; 0 takes free ones', count, 9000)
    .option(
      '-m, --model <name>',
      'pace answers as simulated for this model: a built-in name or a config.json',
    )
    .option('-g, --gpu <name>', `with --model: ${GPU_NAMES.join(', ')} (default: h100)`)
    .option(
      '-p, --precision <name>',
      `with --model: ${PRECISION_NAMES.join(', ')} (default: fp8 where the GPU has it)`,
    )
    .option('--tp <degree>', 'with --model: GPUs per expert, 1, 2, 4 or 8 (default: 1)', count)
    .option('--engine <name>', `with --model: ${ENGINES.join(', ')} (default: tensorrt-llm)`)
    .option('--slow-down <n>', 'with --model: multiply all times by this factor (default: 1)', positive)
    .option('--ttft <duration>', 'time to first token, excluding prefill (default: 50ms)', duration)
    .option(
      '--prefill <n>',
      'prompt tokens prefilled per second, one prompt after another (default: 20000)',
      positive,
    )
    .option('--tpot <duration>', 'time per output token of a single answer (default: 15ms)', duration)
    .option(
      '--tpot-full <duration>',
      'time per output token in a full batch; twice --tpot when absent',
      duration,
    )
    .option('--tokens-per-second <n>', 'a constant pace per answer, instead of --tpot', positive)
    .option(
      '--max-batch <n>',
      `answers in progress at once; more queue (default: 256; ${DEFAULT_LIMITS.maxBatch} with --model)`,
      count,
    )
    .option('--kv-tokens <n>', 'tokens that the KV cache holds; more queue (default: 500000)', count)
    .option('--output-tokens <n>', 'length of an answer, unless max_tokens is lower', count, 128)
    .option(
      '--misbehave <name:share>',
      'misbehave for a share of requests, such as 429:5% (repeatable)',
      mishaps,
    )
    .option(
      '--max-loras <n>',
      'serve LoRA adapters too, so many in GPU memory at once; POST /v1/load_lora_adapter adds one',
      count,
    )
    .option('--lora-load <duration>', 'time to load one into GPU memory (default: 1s)', duration)
    .option('--seed <n>', 'seed of the answers and of random misbehaviour', count, 1)
    .option(
      '--json',
      'machine-readable output: one line with the address of every expert, once they are ready',
    )
    .addHelpText('after', () => help())
    .action(emulate);
}

function help(): string {
  return `
A token is a word. Every expert also answers GET /v1/models, /health and /metrics (as vLLM names them).
Requests may carry vLLM's ignore_eos: the answer then has exactly max_tokens tokens.

Misbehaviours, by model name (emulate:cut), by header (x-emulate: stall-after=5, no-usage) or by --misbehave:
${describeMisbehaviours().join('\n')}

Examples:
  $ expert-router emulate                                        eight experts on ports 9000 to 9007
  $ expert-router emulate --config-out experts.yaml              and a config to serve them with
  $ expert-router emulate --port 0 --json                        free ports, for a script
  $ expert-router emulate --experts 2 --tokens-per-second 10     slow enough to read along
  $ expert-router emulate --misbehave 503:5% --misbehave cut:1%  what a bad day looks like
  $ expert-router emulate --model llama-3.1-8b --gpu h100 --precision fp8   eight H100s, as simulated
  $ expert-router emulate --model llama-3.1-70b --tp 4 --experts 2 --slow-down 10   ten times as slow`;
}

async function emulate(options: EmulateOptions): Promise<void> {
  const { experts, configOut, host, port, outputTokens, seed, misbehave = [] } = options;
  const shares = misbehave.reduce((sum, { share }) => sum + share, 0);
  if (shares > 1)
    throw new UsageError(`--misbehave: the shares add up to ${shares}; they must not exceed 1.`);
  if (experts < 1) throw new UsageError('--experts: must be at least 1.');
  if (port + experts - 1 > 65_535)
    throw new UsageError(`--port: ${experts} experts from port ${port} would exceed port 65535.`);
  const { make: engine, words } = await engineOf(options);
  const subjects =
    configOut === undefined
      ? []
      : subjectsOf(await readFile(shipped('presets/embedded.yaml'), 'utf8'), experts);
  const emulated = await startEmulatedServers({
    experts,
    names: subjects.map(({ id }) => id),
    host,
    port,
    outputTokens,
    seed,
    mishaps: misbehave,
    created: Math.floor(Date.now() / 1000),
    engine,
    adapters: options.maxLoras ? { slots: options.maxLoras, loadMs: options.loraLoad ?? 1000 } : null,
  });
  if (options.json) console.log(JSON.stringify(addressesOf(emulated, host)));
  else greet(emulated, host, words);
  if (configOut !== undefined) await writeConfig(configOut, emulated, host, subjects);
  endOnSignal(emulated);
}

function addressesOf({ servers }: EmulatedServers, host: string): object {
  return { experts: servers.map(({ expert, port }) => ({ id: expert, url: `${addressOf(host, port)}/v1` })) };
}

function greet({ servers }: EmulatedServers, host: string, words: string): void {
  for (const { expert, port } of servers) console.log(`${expert}  ${addressOf(host, port)}/v1`);
  if (words !== '') console.log(words);
  console.log(`${servers.length} emulated experts are ready. Ctrl-C stops them.`);
}

function addressOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function writeConfig(
  file: string,
  { servers }: EmulatedServers,
  host: string,
  subjects: readonly Subject[],
): Promise<void> {
  const addresses = servers.map(({ expert, port }) => ({ expert, url: addressOf(host, port) }));
  await writeFileAtomically(file, emulatedConfig(addresses, subjects));
  console.error(`Wrote ${file}. From another terminal: expert-router serve --config ${file}`);
}

function endOnSignal(emulated: EmulatedServers): void {
  const end = (): void => {
    const sum = (of: 'requests' | 'tokens' | 'abandoned'): number =>
      emulated.servers.reduce((total, { stats }) => total + stats[of], 0);
    const { user, system } = process.cpuUsage();
    console.error(
      `${sum('requests')} requests, ${sum('tokens')} tokens, ${sum('abandoned')} abandoned by clients; ` +
        `${((user + system) / 1e6).toFixed(1)} s of CPU.`,
    );
    void emulated.close().then(() => process.exit(0));
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

/** `name:share`, where the share is a fraction or a percentage. */
function mishaps(text: string, before: readonly Mishap[] = []): readonly Mishap[] {
  const at = text.lastIndexOf(':');
  const share = text.slice(at + 1).trim();
  const value = share.endsWith('%') ? Number(share.slice(0, -1)) / 100 : Number(share);
  if (at < 1 || share === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected <name>:<share>, such as cut-after=3:0.05 or 429:5%.');
  return [...before, { plan: planOf(text.slice(0, at)), share: value }];
}
