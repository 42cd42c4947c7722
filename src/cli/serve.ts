/** `expert-router serve`: the gateway, from a config to a listening address and an orderly end. */
import { isIP } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import type { Routed } from '../gateway/router.ts';
import { Readiness } from '../http/readiness.ts';
import { listen, type RunningServer } from '../http/server.ts';
import { Telemetry } from '../telemetry/metrics.ts';

import { composeFleet, composeGateway, DEFAULT_CONFIG, expertDeps, loadRouterModel } from './compose.ts';

interface ServeOptions {
  readonly config?: string;
  readonly port?: number;
  readonly verbose?: boolean;
}

/** How long running answers may take to finish after SIGTERM or Ctrl-C; a second signal cuts them. */
const GRACE_MS = 20_000;

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the gateway')
    .option('-c, --config <file>', 'experts and settings; eight embedded experts when absent')
    .option('-p, --port <port>', 'listen on this port instead of the configured one', portNumber)
    .option('--verbose', 'print one line a request: who answers and why, never what was asked')
    .addHelpText(
      'after',
      `
Without --config, eight experts run inside this process on one small model, fetched once.
Without API keys in the config, only this machine can connect.

Examples:
  $ expert-router serve
  $ expert-router serve --config experts.yaml --port 9000`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const config = await loadConfig(options.config ?? DEFAULT_CONFIG, process.env);
  const model = await loadRouterModel(config);
  const log = (line: string): void => console.error(line);
  const fleet = await composeFleet(config, expertDeps(log));
  const telemetry = new Telemetry({ processMetrics: true });
  const gateway = composeGateway(config, model, fleet, telemetry);
  fleet.watch();
  const address = listenAddress(config, options.port);
  const server = await bind(address, {
    keys: config.keys,
    log,
    context: {
      gateway,
      telemetry,
      readiness: new Readiness(fleet),
      maxBodyMb: config.max_body_mb,
      startedAt: Math.floor(Date.now() / 1000),
      onRouted: options.verbose ? logDecision : () => {},
    },
  });
  greet(config, server.url, address.restricted);
  endOnSignal(server);
}

interface Address {
  readonly host: string;
  readonly port: number;
  /** The config asks for an open address but has no keys. */
  readonly restricted: boolean;
}

/** Without keys anyone who reaches the port could use the experts, so then only this machine may. */
function listenAddress(config: Config, port: number | undefined): Address {
  const at = config.listen.lastIndexOf(':');
  const host = config.listen.slice(0, at).replace(/^\[|\]$/g, '');
  const restricted = config.keys.length === 0 && !isLoopback(host);
  return {
    host: restricted ? '127.0.0.1' : host,
    port: port ?? Number(config.listen.slice(at + 1)),
    restricted,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

async function bind(
  { host, port }: Address,
  options: Omit<Parameters<typeof listen>[0], 'host' | 'port'>,
): Promise<RunningServer> {
  try {
    return await listen({ ...options, host, port });
  } catch (error) {
    await options.context.gateway.fleet.close();
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE')
      throw new UserError(
        `Port ${port} on ${host} is taken. Choose another with --port, or stop what listens there.`,
      );
    if (code === 'EACCES')
      throw new UserError(
        `Port ${port} needs more rights than this user has. Choose one above 1023 with --port.`,
      );
    throw error;
  }
}

function greet(config: Config, url: string, restricted: boolean): void {
  const names = config.experts.map((expert) => expert.id).join(', ');
  const auth = config.keys.length > 0 ? ' -H "Authorization: Bearer $EXPERT_ROUTER_KEY"' : '';
  const notice =
    config.keys.length > 0
      ? ''
      : `\nNo API keys are configured, so only this machine can connect${restricted ? ` (${config.listen} was asked for; 'expert-router key' makes a key)` : ''}.`;
  console.log(`
Expert Router serves ${config.experts.length} experts on ${url}
  ${names}
${notice}
Ask from another terminal:
  curl ${url}/v1/chat/completions -H "Content-Type: application/json"${auth} \\
    -d '{"model": "auto", "messages": [{"role": "user", "content": "Write a Python function that reverses a list."}]}'

Chat in the terminal:
  npx expert-router chat${url === 'http://127.0.0.1:8080' ? '' : ` --url ${url}`}

Ctrl-C stops it.`);
}

function logDecision({ decision, classification }: Routed, traceId: string): void {
  const confidence = classification.confidence.toFixed(2);
  console.error(
    `${traceId} -> ${decision.expert} (${decision.reason}, cluster ${classification.cluster}, confidence ${confidence})`,
  );
}

function endOnSignal(server: RunningServer): void {
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    console.error('Finishing running answers; once more to stop at once.');
    void server.close(GRACE_MS).then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a number from 0 to 65535.');
}
