/** `expert-router extproc`: the decision for Envoy, without an HTTP server of its own. */
import { Command } from 'commander';
import { duration } from './numbers.ts';
import { serveAlone } from './serve/alone.ts';
import { finishWithin } from './serve/log.ts';
import { wholeNumber } from './serve.ts';
import { UsageError } from './usage-error.ts';

interface ExtProcOptions {
  readonly config?: string;
  readonly port?: number;
  readonly verbose?: boolean;
  readonly grace?: number;
}

export function extProcCommand(): Command {
  return new Command('extproc')
    .option('-c, --config <file>', 'experts and settings')
    .option('-p, --port <port>', 'listen on this port instead of the configured one', wholeNumber(0, 65_535))
    .option('--verbose', 'print one line a request at its end: whose, who answers, how; never what was asked')
    .option(
      '--grace <duration>',
      'how long it watches running answers once it is told to stop (default: 20s)',
      duration,
    )
    .addHelpText(
      'after',
      `
Envoy asks it once a request (envoy.service.ext_proc.v3.ExternalProcessor) and carries the answer itself.
\`expert-router envoy\` writes the configuration of an Envoy that does. Without API keys in the config only this
machine can connect. For metrics, and for one fleet with the gateway: expert-router serve --extproc 9002.

Examples:
  $ expert-router extproc --config experts.yaml
  $ expert-router extproc --config experts.yaml --port 9002 --verbose`,
    )
    .action(extProc);
}

async function extProc({ config, port, verbose = false, grace }: ExtProcOptions): Promise<void> {
  if (grace !== undefined) finishWithin(grace);
  if (config === undefined) throw new UsageError('--config is missing: the experts that Envoy is to ask.');
  const address = await serveAlone({ file: config, verbose }, (gateway) =>
    gateway.listenExtProc(port === undefined ? {} : { port }),
  );
  console.log(`Expert Router serves Envoy on ${address} (gRPC). Ctrl-C stops it.`);
}
