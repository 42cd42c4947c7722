/** `expert-router serve`: starts the gateway from a config, in one process or several. */
import { homedir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { admit } from '../serving/app/admission.ts';
import type { EmbeddedGateway } from '../serving/app/app.ts';
import { readSource } from '../serving/app/source.ts';
import { SHIPPED } from '../serving/config/catalogue.ts';
import type { Config } from '../serving/config/schema.ts';
import { chosenKey } from '../serving/discover/discover.ts';
import { parseWeights } from '../serving/weights/reference.ts';
import { isWorker } from '../serving/workers/primary.ts';
import { duration } from './numbers.ts';
import { serveAlone } from './serve/alone.ts';
import { finishWithin, type LogFormat, log, logAs } from './serve/log.ts';
import { servePrimary } from './serve/primary.ts';
import { serveAsWorker } from './serve/worker.ts';
import { unconfigured } from './unconfigured.ts';
import { UsageError } from './usage-error.ts';

interface ServeOptions {
  readonly config?: string;
  readonly port?: number;
  readonly workers?: number;
  readonly extproc?: number;
  readonly scaler?: number;
  readonly verbose?: boolean;
  readonly logFormat: LogFormat;
  readonly grace?: number;
  readonly discover: boolean;
  readonly weights?: string;
  readonly useKey?: readonly string[];
}

export function serveCommand(): Command {
  return new Command('serve')
    .option('-c, --config <file>', 'experts and settings; when absent, the engines found on this machine')
    .option('-p, --port <port>', 'listen on this port instead of the configured one', wholeNumber(0, 65_535))
    .option(
      '-w, --workers <number>',
      'processes that share the port; one per core, or one if an expert is embedded',
      wholeNumber(1, 256),
    )
    .option(
      '--extproc <port>',
      'also serve Envoy as an external processor on this port, in one process; see expert-router envoy',
      wholeNumber(0, 65_535),
    )
    .option(
      '--scaler <port>',
      'also serve KEDA as an external scaler on this port, in one process; see docs/scale.md',
      wholeNumber(0, 65_535),
    )
    .option('--no-discover', 'without --config, serve the eight embedded experts even if engines run here')
    .option('--use-key <VARIABLE=MODEL...>', "without --config, add a cloud's model, billed to this key")
    .option(
      '--weights <reference>',
      'serve the embedded experts on other GGUF weights: a path, https://… or hf:owner/repo/file.gguf',
    )
    .option(
      '--verbose',
      'print one line a request at its end: whose, who answered, how; never what was asked',
    )
    .option(
      '--log-format <format>',
      'pretty, or json: one object a line with time, level and message',
      logFormat,
      'pretty',
    )
    .option(
      '--grace <duration>',
      'how long running answers may take to finish once it is told to stop (default: 20s)',
      duration,
    )
    .addHelpText(
      'after',
      `
Without --config, the models of the engines that answer on the usual ports are the experts (expert-router discover
shows them). Where there are none, eight run inside this process on one small model, fetched once.
Without API keys in the config, only this machine can connect.
A changed config or router model is taken up while serving (also on SIGHUP); a bad one is refused with the reason.

Examples:
  $ expert-router serve
  $ expert-router serve --config experts.yaml --port 9000
  $ expert-router serve --config experts.yaml --workers 4
  $ expert-router serve --config experts.yaml --extproc 9002 --scaler 9500
  $ expert-router serve --weights hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  // Until it serves, a reload has nothing to do: the config is about to be read. Unheard, the signal would end the process.
  process.on('SIGHUP', () => {});
  // Unheard, it opens Node's debugger to whoever is on this machine.
  process.on('SIGUSR1', () => {});
  logAs(options.logFormat);
  if (options.grace !== undefined) finishWithin(options.grace);
  takeWeights(options);
  const file = options.config ?? (await unconfigured(asDiscovery(options), log));
  const verbose = options.verbose ?? false;
  if (isWorker()) return serveAsWorker(file, verbose);
  const source = await readSource(file, { environment: process.env, catalogue: SHIPPED });
  const { address, processes } = admit(source.config, { ...options, ...oneForOthers(options) }, null);
  const greeting = (url: string): void => greet(source.config, url, address.restricted, processes);
  const { port, extproc, scaler } = options;
  if (processes === 1) {
    const open = async (gateway: EmbeddedGateway) => ({
      url: await gateway.listen(port === undefined ? {} : { port }),
      envoy: extproc === undefined ? null : await gateway.listenExtProc({ port: extproc }),
      keda: scaler === undefined ? null : await gateway.listenScaler({ port: scaler }),
    });
    const { url, envoy, keda } = await serveAlone({ file, verbose }, open);
    greeting(url);
    if (envoy !== null) console.log(`\nEnvoy is served on ${envoy} (gRPC).`);
    if (keda !== null) console.log(`\nKEDA is served on ${keda} (gRPC).`);
  } else await servePrimary({ file, source, address, flags: options, processes, onServing: greeting });
}

/** Envoy and KEDA keep few connections, which cannot be shared out among workers. @throws UsageError */
function oneForOthers({ extproc, scaler, workers }: ServeOptions): { readonly workers?: 1 } {
  const given = extproc !== undefined ? '--extproc' : scaler !== undefined ? '--scaler' : null;
  if (given === null) return {};
  if (workers !== undefined && workers > 1)
    throw new UsageError(
      `${given} and --workers ${workers}: gRPC is served by one process; leave out one of the two.`,
    );
  return { workers: 1 };
}

/** Passes `--weights` to the preset of the embedded experts, which reads it from the environment. */
function takeWeights({ config, weights }: ServeOptions): void {
  if (weights === undefined) return;
  if (config !== undefined)
    throw new UsageError('--weights and --config: a config names the weights of each expert itself.');
  parseWeights(weights, homedir());
  process.env.EXPERT_ROUTER_WEIGHTS = weights;
}

function asDiscovery({ discover, weights, useKey = [] }: ServeOptions): Parameters<typeof unconfigured>[0] {
  if (weights !== undefined && useKey.length > 0)
    throw new UsageError('--use-key and --weights: leave out one of the two.');
  if (!discover && useKey.length > 0)
    throw new UsageError('--use-key and --no-discover: leave out one of the two.');
  return { discover: discover && weights === undefined, keys: useKey.map(chosenKey) };
}

function greet(config: Config, url: string, restricted: boolean, workers: number): void {
  const names = config.experts.map((expert) => expert.id).join(', ');
  const auth = config.keys.length > 0 ? ' -H "Authorization: Bearer $EXPERT_ROUTER_KEY"' : '';
  const asked = restricted
    ? ` (the config listens on ${config.listen}; 'expert-router key' makes a key)`
    : '';
  const notice =
    config.keys.length > 0 ? '' : `\nNo API keys are configured, so only this machine can connect${asked}.`;
  console.log(`
Expert Router serves ${config.experts.length} ${config.experts.length === 1 ? 'expert' : 'experts'} on ${url}${workers > 1 ? ` with ${workers} workers` : ''}
  ${names}
${notice}
Ask from another terminal:
  curl ${url}/v1/chat/completions -H "Content-Type: application/json"${auth} \\
    -d '{"model": "auto", "messages": [{"role": "user", "content": "What is the capital of France?"}]}'

Chat in the terminal:
  npx expert-router chat${url === 'http://127.0.0.1:8080' ? '' : ` --url ${url}`}
${config.dashboard ? `\nSee it in a browser:\n  ${url}/ui\n` : ''}
Ctrl-C stops it.`);
}

function logFormat(text: string): LogFormat {
  if (text === 'pretty' || text === 'json') return text;
  throw new InvalidArgumentError("expected 'pretty' or 'json'.");
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
  };
}
