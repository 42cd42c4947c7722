/** `expert-router triton`: lists, loads and unloads the models in a Triton server's model repository. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describeError, RouterError, UserError } from '../core/errors.ts';
import { connectTriton } from '../serving/experts/triton/connect.ts';
import { describeFault } from '../serving/experts/triton/faults.ts';
import { load, type ModelState, unload } from '../serving/experts/triton/repository.ts';
import { ServerError, type TritonServer } from '../serving/experts/triton/server.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
Examples:
  $ expert-router triton index http://gpu1:8000               every model, its versions and their states
  $ expert-router triton load grpc://gpu1:8001 ensemble       waits until it is ready, and says how it goes
  $ expert-router triton unload grpc://gpu1:8001 ensemble     waits until its requests are answered and it is gone
  $ expert-router triton load grpc://gpu1:8001 ensemble --key admin-key="$ADMIN_KEY"

Loading and unloading need a server started with --model-control-mode=explicit. grpc:// and grpcs:// speak gRPC
(usually port 8001), http:// and https:// HTTP (8000). --key is for servers started with
--grpc-restricted-protocol=model-repository:KEY=VALUE or --http-restricted-api=model-repository:KEY=VALUE.`;

interface Options {
  readonly json?: boolean;
  readonly key: Readonly<Record<string, string>>;
  readonly timeout: string;
  readonly tlsCa?: string;
}

export function tritonCommand(): Command {
  const root = new Command('triton').addHelpText('after', EXAMPLES);
  root.addCommand(
    verb('index', 'list the models in the repository and their states')
      .option('--json', 'machine-readable output')
      .action(index),
  );
  root.addCommand(
    verb('load', 'load or reload a model').argument('<model>', 'its name in the repository').action(loadOne),
  );
  root.addCommand(
    verb('unload', 'unload a model').argument('<model>', 'its name in the repository').action(unloadOne),
  );
  return root;
}

function verb(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<url>', 'address of the server, such as grpc://gpu1:8001')
    .option('--key <key=value>', 'key of a restricted API; may be given several times', addKey, {})
    .option('--tls-ca <file>', "certificates of the CA that signed the server's, in PEM")
    .option('--timeout <seconds>', 'give up after this many seconds', '600');
}

function addKey(text: string, keys: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--key ${text}: write it as key=value.`);
  return { ...keys, [text.slice(0, at)]: text.slice(at + 1) };
}

async function index(url: string, options: Options): Promise<void> {
  await withServer(url, options, null, async (server, signal) => {
    const models = await server.repositoryIndex(signal);
    if (options.json) {
      console.log(JSON.stringify(models, null, 2));
      return;
    }
    if (models.length === 0) process.stdout.write('The repository is empty.\n');
    const width = Math.max(...models.map(({ name }) => name.length));
    for (const { name, version, state, reason } of models) {
      const line = [
        name.padEnd(width),
        (version || '-').padStart(3),
        (state || 'not loaded').padEnd(11),
        reason,
      ];
      process.stdout.write(`${line.join('  ').trimEnd()}\n`);
    }
  });
}

async function loadOne(url: string, model: string, options: Options): Promise<void> {
  await withServer(url, options, model, async (server, signal) => {
    await load(server, model, { signal, progress: stateReporter(model) });
    process.stdout.write(`${model} is loaded.\n`);
  });
}

async function unloadOne(url: string, model: string, options: Options): Promise<void> {
  await withServer(url, options, model, async (server, signal) => {
    await unload(server, model, { signal, progress: stateReporter(model) });
    process.stdout.write(`${model} is unloaded.\n`);
  });
}

/** Prints a line when the state changes and every ten seconds, because loading can take minutes. */
function stateReporter(model: string): (state: ModelState) => void {
  const started = performance.now();
  let last = '';
  let toldAt = 0;
  return ({ state, reason }) => {
    const seconds = Math.round((performance.now() - started) / 1000);
    const text = `${model}: ${state || 'not loaded'}${reason ? ` (${reason})` : ''}`;
    if (text === last && seconds - toldAt < 10) return;
    last = text;
    toldAt = seconds;
    process.stderr.write(`${text}, ${seconds} s\n`);
  };
}

async function withServer(
  url: string,
  { key, timeout, tlsCa }: Options,
  model: string | null,
  use: (server: TritonServer, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const seconds = Number(timeout);
  if (!(seconds > 0)) throw new UsageError(`--timeout ${timeout}: expected a number of seconds.`);
  const server = await connect(url, key, tlsCa);
  const stop = AbortSignal.timeout(seconds * 1000);
  try {
    await use(server, stop);
  } catch (error) {
    if (stop.aborted) throw new UserError(`${url} did not finish within ${seconds} s; raise --timeout.`);
    throw asUserError(error, url, model);
  } finally {
    server.close();
  }
}

async function connect(
  url: string,
  restrictedApi: Options['key'],
  tlsCa: string | undefined,
): Promise<TritonServer> {
  if (!URL.canParse(url) || !/^(grpcs?|https?):$/.test(new URL(url).protocol)) {
    throw new UserError(
      `${url} is not the address of a Triton server; use a form like grpc://host:8001 or http://host:8000.`,
    );
  }
  const deadlines = { connect: 5_000, first: 60_000, idle: 60_000 };
  return connectTriton(url, { headers: {}, restrictedApi, ca: tlsCa && readAuthority(tlsCa) }, deadlines);
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`--tls-ca ${path}: ${describeError(error)}`);
  }
}

function asUserError(error: unknown, url: string, model: string | null): unknown {
  if (error instanceof RouterError) return new UserError(error.message);
  if (!(error instanceof ServerError)) return error;
  switch (error.fault) {
    case 'unreachable':
      return new UserError(
        `${url} cannot be reached (${error.message}). Is the server running, is the port right, and does the ` +
          'protocol right: grpc:// or http://, or grpcs:// or https:// with TLS?',
      );
    case 'forbidden':
    case 'garbled':
    case 'unsupported':
      return new UserError(`${describeFault({ expert: url, url, model }, error)} Pass a key with --key.`);
    default:
      return new UserError(model ? `${model}: ${error.message}` : `${url}: ${error.message}`);
  }
}
