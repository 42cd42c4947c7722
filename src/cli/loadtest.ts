/** `expert-router loadtest`: puts a server under load, closed or open loop, and reports latency and throughput. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Command } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { progressBar } from '../core/progress.ts';
import type { HttpClient } from '../http/client.ts';
import { type LoadTestResult, readRuns, SCHEMA, type StageResult, VERSION } from '../load/loadtest/result.ts';
import { loadClient, runStage, type StageOptions, type StageView } from '../load/loadtest/stage.ts';
import { textTable } from '../report/text-table.ts';
import { type LoadPlan, type LoadTestOptions, planLoad } from './loadtest/plan.ts';
import { comparisonReport, comparisonRows, loadTestReport } from './loadtest/report.ts';
import { count, positive, seconds } from './numbers.ts';
import { STAGE_HEAD } from './stage-table.ts';
import { UsageError } from './usage-error.ts';

interface Options extends LoadTestOptions {
  readonly name?: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly html?: string;
  readonly compare?: readonly string[];
}

export function loadTestCommand(): Command {
  return new Command('loadtest')
    .argument('[url]', "any server with OpenAI's API, such as http://127.0.0.1:8080")
    .option('--users <list>', 'closed loop: numbers of concurrent users, one stage each', '1,10,50,100')
    .option('--duration <seconds>', 'length of a stage', seconds, 60)
    .option('--think <seconds>', 'mean time between an answer and the next request', seconds, 0)
    .option(
      '--ramp <seconds>',
      'time over which users start; a fifth of the stage, at most 2, when absent',
      seconds,
    )
    .option('--rate <n>', 'open loop: mean requests per second, Poisson', positive)
    .option('--burst <factor>', 'with --rate: a tenth of the time has this many times the rate', positive)
    .option('--trace <file>', "open loop: arrivals and lengths from Azure's CSV or Mooncake's JSONL")
    .option('--speedup <n>', 'replay the trace this many times faster', positive, 1)
    .option(
      '--prompts <file>',
      'JSONL with messages, prompt or text, or one prompt per line; generated when absent',
    )
    .option('--lengths <p:a|name>', 'tokens of generated prompts and answers, or chat, or c4', '100:100')
    .option('--skew <n>', 'skew of generated prompts over eight topics; 0 is even', Number, 0)
    .option('--model <name>', 'model to request', 'auto')
    .option('--key <key>', 'API key; EXPERT_ROUTER_KEY when absent')
    .option('--header <name:value...>', 'additional headers')
    .option('--no-stream', 'request answers without streaming')
    .option('--max-tokens <n>', 'maximum tokens of an answer; the generated length when absent', count)
    .option('--exact-length', "set vLLM's ignore_eos, so that answers have their full length")
    .option('--timeout <seconds>', 'time limit of a request', seconds, 120)
    .option('--drain <seconds>', 'time limit of pending answers after a stage', seconds, 30)
    .option(
      '--max-in-flight <n>',
      'maximum requests in flight; others queue, with their latency counting',
      count,
      10_000,
    )
    .option('--max-requests <n>', 'maximum requests of a stage', count, 1_000_000)
    .option('--name <text>', 'name of the run in reports')
    .option('-o, --out <file>', 'write the figures as JSON')
    .option('--json', 'print the JSON instead of the table')
    .option('--html <file>', 'write an HTML report with charts')
    .option('--compare <files...>', 'compare the JSON of runs (simulations too) instead of running')
    .option('--allow-remote', 'permit a target on another machine')
    .option('--seed <n>', 'seed of prompts and arrivals', count, 1)
    .addHelpText(
      'after',
      `
Latencies count from when a request was meant to leave. Ctrl-C ends the run and writes what was measured.

Examples:
  $ expert-router loadtest http://127.0.0.1:8080 --users 1,10,50,100,250,500,750,1000 --html report.html
  $ expert-router loadtest http://127.0.0.1:8080 --rate 20 --burst 5 --duration 120
  $ expert-router loadtest http://127.0.0.1:8080 --trace AzureLLMInferenceTrace_conv.csv --speedup 10
  $ expert-router loadtest --compare before.json after.json --html compared.html`,
    )
    .action(loadTest);
}

async function loadTest(url: string | undefined, options: Options): Promise<void> {
  if (options.compare) {
    await compare(options.compare, options);
    return;
  }
  if (url === undefined) throw new UsageError("Give the server's address, such as http://127.0.0.1:8080.");
  const key = options.key ?? process.env.EXPERT_ROUTER_KEY;
  const plan = await planLoad(url, { ...options, ...(key ? { key } : {}) });
  await reachable(plan.origin);
  const startedAt = new Date().toISOString();
  const { stages, interrupted } = await runStages(plan);
  const result: LoadTestResult = {
    schema: SCHEMA,
    version: VERSION,
    name: options.name ?? `Load test of ${plan.origin.host}`,
    target: url,
    model: options.model,
    started_at: startedAt,
    streamed: options.stream,
    seed: options.seed,
    load: plan.words,
    interrupted,
    stages,
  };
  await write(result, options);
  if (interrupted) process.exitCode = 130;
}

/** Fails early, with a clear message, if the server is down. */
async function reachable(origin: URL): Promise<void> {
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const port = Number(origin.port || (origin.protocol === 'https:' ? 443 : 80));
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) =>
      reject(
        new UserError(`Cannot connect to ${origin.host} (${describeError(error)}). Is the server running?`),
      ),
    );
  });
}

async function runStages(plan: LoadPlan): Promise<{ stages: readonly StageResult[]; interrupted: boolean }> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    console.error('\nStopping; press Ctrl-C again to stop without a report.');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const client = loadClient(plan.origin);
  const stages: StageResult[] = [];
  for (const stage of plan.stages) {
    if (!stop.signal.aborted) stages.push(await watched(stage, client, stop.signal));
  }
  client.close();
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
  return { stages, interrupted: stop.signal.aborted };
}

async function watched(stage: StageOptions, client: HttpClient, stop: AbortSignal): Promise<StageResult> {
  const label = stage.arrivals.kind === 'closed' ? `${stage.arrivals.users} users` : stage.arrivals.kind;
  const progress = progressBar(label.padEnd(10), 'seconds');
  const show = ({ elapsedSeconds, inFlight, measures }: StageView): void => {
    const { begun, failed } = measures;
    const ttft = measures.firstTokenP50().toFixed(0);
    progress.update(
      Math.min(elapsedSeconds, stage.seconds),
      stage.seconds,
      elapsedSeconds > stage.seconds
        ? `waiting for ${inFlight} pending answers`
        : `${begun} requests, ${inFlight} running, ${failed} errors, TTFT ${ttft} ms`,
    );
  };
  const result = await runStage(stage, client, stop, show);
  const { succeeded, errors, tokens_per_second } = result;
  progress.finish(`${succeeded} answers, ${errors} errors, ${Math.round(tokens_per_second)} tokens/s`);
  return result;
}

async function write(result: LoadTestResult, { json, out, html }: Options): Promise<void> {
  const figures = `${JSON.stringify(result, null, 2)}\n`;
  if (out !== undefined) await writeFileAtomically(out, figures);
  if (html !== undefined) await writeFileAtomically(html, loadTestReport(result));
  process.stdout.write(json ? figures : inWords(result));
  for (const file of [out, html]) if (file !== undefined) console.error(`Wrote ${file}`);
}

function inWords(result: LoadTestResult): string {
  const lines = [textTable([STAGE_HEAD, ...comparisonRows([result])])];
  for (const stage of result.stages) {
    const kinds = Object.entries(stage.errors_by_kind).map(([kind, n]) => `${n} ${kind}`);
    if (kinds.length > 0) lines.push(`${stage.users} users: ${stage.errors} errors: ${kinds.join(', ')}.`);
    if (stage.client.starved)
      lines.push(
        `${stage.users} users: this client lacked CPU (${Math.round(100 * stage.client.cpu)} % of a core, event loop ` +
          `late by ${stage.client.event_loop_delay_p99_ms.toFixed(0)} ms at p99); the figures include its own slowness.`,
      );
  }
  const cpu = result.stages.map((stage) => `${Math.round(100 * stage.client.cpu)} %`);
  const sources = [...new Set(result.stages.map((stage) => stage.tokens_source))];
  lines.push(`Client: ${cpu.join(', ')} of a core. Tokens counted by ${sources.join(', ')}.`);
  return `\n${lines.join('\n')}\n`;
}

async function compare(files: readonly string[], { json, html }: Options): Promise<void> {
  const runs = (
    await Promise.all(files.map(async (file) => readRuns(await readFileOrSay(file), file)))
  ).flat();
  if (html !== undefined) await writeFileAtomically(html, comparisonReport(runs));
  console.log(json ? JSON.stringify(runs, null, 2) : textTable([STAGE_HEAD, ...comparisonRows(runs)]));
  if (html !== undefined) console.error(`Wrote ${html}`);
}

async function readFileOrSay(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot read ${file}: ${describeError(error)}`);
  }
}
