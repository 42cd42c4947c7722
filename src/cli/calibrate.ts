/** `expert-router calibrate`: a short load test of one engine, whose times plan and simulate then go by. */
import { Command } from 'commander';
import { UserError } from '../core/errors.ts';
import { progressBar } from '../core/progress.ts';
import { textTable } from '../report/text-table.ts';
import { fitMeasured, type MeasuredConstants } from '../simulating/cost/measured.ts';
import { calibrationOf, writeCalibrationFile } from './calibrate/file.ts';
import { probe } from './calibrate/probe.ts';
import { amountOf } from './plan/options.ts';
import { UsageError } from './usage-error.ts';

interface CalibrateOptions {
  readonly model?: string;
  readonly keyEnv?: string;
  readonly concurrency: string;
  readonly limit: string;
  readonly out: string;
  readonly json?: boolean;
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .argument('<url>', 'its OpenAI API, such as http://127.0.0.1:8000/v1')
    .option('-m, --model <name>', 'the model to ask for; the first it lists when absent')
    .option('--key-env <name>', 'environment variable that holds its API key')
    .option('--concurrency <n>', 'the most requests at once', '8')
    .option('--limit <seconds>', 'end after this long at the latest', '120')
    .option('-o, --out <file>', 'where the constants go', 'calibration.yaml')
    .option('--json', 'machine-readable output: what the file keeps')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router calibrate http://127.0.0.1:8000/v1
  $ expert-router plan --model llama-3.1-8b --gpu l40s --calibrated calibration.yaml --users 40 --think 20s

Some fifty short answers at most. The times hold for this engine with this model; memory still follows from --model and --gpu.`,
    )
    .action(calibrate);
}

async function calibrate(url: string, options: CalibrateOptions): Promise<void> {
  const signal = AbortSignal.timeout(1000 * amountOf('--limit', options.limit));
  const key = options.keyEnv === undefined ? undefined : keyFrom(options.keyEnv);
  const model = options.model ?? (await firstModel(url, key, signal));
  const bar = progressBar('measuring', 'items');
  const most = amountOf('--concurrency', options.concurrency, 'whole');
  const requests = await probe({ url, model, key, most, signal }, (done, total) => bar.update(done, total));
  bar.finish();
  const constants = fitMeasured(requests);
  const measured = new Date().toISOString().slice(0, 10);
  const calibration = calibrationOf({ engine: url, model, measured }, constants);
  await writeCalibrationFile(options.out, calibration);
  console.log(
    options.json ? JSON.stringify(calibration, null, 2) : `${model} at ${url}\n\n${table(constants)}`,
  );
  console.error(`Wrote ${options.out}`);
}

function keyFrom(name: string): string {
  const key = process.env[name];
  if (key) return key;
  throw new UsageError(`--key-env: ${name} is not set.`);
}

async function firstModel(url: string, key: string | undefined, signal: AbortSignal): Promise<string> {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(`${url.replace(/\/$/, '')}/models`, { headers, signal }).catch(
    (cause: unknown) => {
      throw new UserError(`calibrate: nothing answers at ${url}; is the engine running?`, { cause });
    },
  );
  try {
    const { data } = (await response.json()) as { data?: { id?: string }[] };
    if (data?.[0]?.id) return data[0].id;
  } catch (cause) {
    throw new UserError(
      `calibrate: ${url} does not list its models; is it an OpenAI API? Or name one with --model.`,
      { cause },
    );
  }
  throw new UserError(`calibrate: ${url} lists no model; name one with --model.`);
}

function table(c: MeasuredConstants): string {
  const ms = (seconds: number, digits = 1): string => `${(1000 * seconds).toFixed(digits)} ms`;
  return textTable([
    ['first token', ms(c.firstToken), 'beside reading the prompt'],
    ['reading', ms(1000 * c.perPromptToken), 'a thousand tokens of prompt'],
    ['a token', ms(c.perStep), 'to every answer'],
    ['', ms(c.perSequence, 2), 'more for each answer going on at once'],
    ['error', `${(100 * c.error).toFixed(1)} %`, 'of these lines on what was measured'],
  ]);
}
