/** `expert-router envoy`: writes the configuration of an Envoy that lets us choose the expert and carries the bytes. */
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { writeFileAtomically } from '../core/files.ts';
import { extProcAddress, listenAddress, requestedAddress } from '../serving/app/listen-address.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';
import { type BootstrapOptions, bootstrap } from '../serving/envoy/bootstrap.ts';
import type { HostPort } from '../serving/envoy/clusters.ts';
import { EXPERT_KINDS } from '../serving/experts/index.ts';
import { wholeNumber } from './serve.ts';
import { UsageError } from './usage-error.ts';

interface EnvoyOptions {
  readonly config?: string;
  readonly out?: string;
  readonly listen?: string;
  readonly extproc?: string;
  readonly body: BootstrapOptions['body'];
  readonly admin: number;
}

const ENVOYS_PORT = 10_000;

export function envoyCommand(): Command {
  return new Command('envoy')
    .option('-c, --config <file>', 'experts and settings, as for serve')
    .option('-o, --out <file>', 'where to write it; standard output when absent')
    .option('--listen <address:port>', `where Envoy listens (default: as the config, at port ${ENVOYS_PORT})`)
    .option(
      '--extproc <address:port>',
      'where Envoy finds `expert-router extproc` (default: extproc.listen of the config)',
    )
    .addOption(
      new Option('--body <mode>', 'how Envoy shows bodies; buffered holds each whole in its memory')
        .choices(['full-duplex', 'buffered'])
        .default('full-duplex'),
    )
    .option('--admin <port>', "port of Envoy's own page, on this machine only", wholeNumber(0, 65_535), 9901)
    .addHelpText(
      'after',
      `
Envoy 1.34 or newer. Requests fail closed: without a decision nothing passes.

Examples:
  $ expert-router envoy --config experts.yaml --out envoy.yaml
  $ expert-router extproc --config experts.yaml &
  $ envoy -c envoy.yaml`,
    )
    .action(envoy);
}

async function envoy({ config: file, out, listen, extproc, body, admin }: EnvoyOptions): Promise<void> {
  if (file === undefined) throw new UsageError('--config is missing: the experts that Envoy is to ask.');
  const config = await loadConfig(file, process.env);
  const { envoy: made, leftOut } = bootstrap(config, EXPERT_KINDS, {
    listen: listening(config, listen),
    extProc: extproc === undefined ? ownProcessor(config) : hostPort('--extproc', extproc),
    adminPort: admin,
    body,
  });
  const text = `# Written by \`expert-router envoy\` from ${file}: change that, and write this again.\n${stringify(made, { aliasDuplicateObjects: false })}`;
  if (out === undefined) process.stdout.write(text);
  else await writeFileAtomically(out, text);
  if (leftOut.length > 0)
    console.error(
      `Left out, since Envoy cannot ask them: ${leftOut.join(', ')}. The gateway itself serves them.`,
    );
}

function listening(config: Config, given: string | undefined): HostPort {
  if (given === undefined) return listenAddress(config, ENVOYS_PORT);
  const { host, port } = hostPort('--listen', given);
  return requestedAddress(config, host, port);
}

function ownProcessor(config: Config): HostPort {
  const { host, port } = extProcAddress(config, undefined);
  return { host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port };
}

/** @throws UsageError */
function hostPort(option: string, text: string): HostPort {
  const found = /^(?:\[([0-9a-f:]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(found?.[3]);
  if (!found || port > 65_535)
    throw new UsageError(`${option} ${text}: expected an address with a port, such as 127.0.0.1:9002.`);
  return { host: (found[1] ?? found[2])!, port };
}
