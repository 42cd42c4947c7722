/**
 * `expert-router doctor`: checks that every expert of a config works with the gateway, and says how to fix it if not.
 */
import { styleText } from 'node:util';
import { Command } from 'commander';
import { printable } from '../core/printable.ts';
import { progressBar } from '../core/progress.ts';
import { DEFAULT_CONFIG } from '../serving/app/compose.ts';
import { realWorld } from '../serving/app/world.ts';
import { loadConfig } from '../serving/config/load.ts';
import { cureOf } from '../serving/doctor/cures.ts';
import type { Examination } from '../serving/doctor/examine.ts';
import { examineConfig } from '../serving/doctor/examine-config.ts';
import { type Fault, faultText } from '../serving/doctor/fault.ts';
import { duration } from './numbers.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly ask: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

/** A check as it is printed. */
export interface PrintedCheck {
  readonly name: string;
  readonly finding: 'ok' | 'failed' | 'unseen' | 'skipped';
  readonly detail: string;
  /** What to do about it. */
  readonly cure?: string;
  /** The fault in machine-readable form. */
  readonly fault?: Fault;
}

interface Examined {
  readonly expert: string;
  readonly kind: string;
  readonly replica: string;
  readonly checks: readonly PrintedCheck[];
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .option('-c, --config <file>', 'the config whose experts are checked; the embedded ones when absent')
    .option('--no-ask', 'send no prompts; otherwise each expert gets three, of at most 432 tokens together')
    .option('--timeout <duration>', 'longest wait for an answer', duration, 60_000)
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
ok: seen to work. FAILED: seen not to work, with what to do. unseen: the engine does not let it be seen.
Exit code 1 if anything failed.

Examples:
  $ expert-router doctor --config experts.yaml
  $ expert-router doctor --config experts.yaml --no-ask --json`,
    )
    .action(run);
}

async function run(options: DoctorOptions): Promise<void> {
  const config = await loadConfig(options.config ?? DEFAULT_CONFIG, process.env);
  const world = realWorld({ log: (line) => console.error(printable(line)), progress: progressBar });
  const examined = await examineConfig(config, { world, ask: options.ask, timeout: options.timeout });
  const all = examined.map(({ expert, kind, replica, ...found }): Examined => {
    return { expert, kind, replica, checks: printed(found) };
  });
  if (options.json) console.log(JSON.stringify(all, null, 2));
  else for (const one of all) console.log(printable(`${inWords(one)}\n`));
  const checks = all.flatMap((one) => one.checks);
  const failed = checks.filter(({ finding }) => finding === 'failed').length;
  if (!options.json)
    console.log(
      failed === 0
        ? `All checks passed: ${all.length} ${all.length === 1 ? 'replica' : 'replicas'}, ${checks.length} checks.`
        : `${failed} of ${checks.length} checks failed.`,
    );
  if (failed > 0) process.exitCode = 1;
}

function printed({ checks, engine }: Examination): readonly PrintedCheck[] {
  return checks.map((check) => {
    if (!('fault' in check)) return check;
    const { name, finding, fault } = check;
    return { name, finding, detail: faultText(fault), cure: cureOf(fault, engine), fault };
  });
}

const MARKS: Readonly<Record<PrintedCheck['finding'], string>> = {
  ok: styleText('green', 'ok    '),
  failed: styleText('red', 'FAILED'),
  unseen: styleText('yellow', 'unseen'),
  skipped: styleText('dim', 'skip  '),
};

function inWords({ expert, kind, replica, checks }: Examined): string {
  const at = replica === expert ? '' : ` at ${replica}`;
  const lines = checks.flatMap(({ name, finding, detail, cure }) => [
    `  ${MARKS[finding]} ${name.padEnd(9)}  ${detail}`,
    ...(cure === undefined ? [] : [`                    → ${cure}`]),
  ]);
  return [`${expert} (${kind})${at}`, ...lines].join('\n');
}
