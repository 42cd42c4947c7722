/**
 * `npm run bench:emulated`: compares latency through the real gateway in front of emulated GPUs with a simulation of
 * the same requests. The difference is due to the gateway, the load test and the emulator's clock.
 */
import { textTable } from '../src/report/text-table.ts';
import { type LiveFigures, measureLive } from './emulated/live.ts';
import { simulateStage } from './emulated/simulated.ts';
import type { Figures, Stage } from './emulated/stage.ts';
import { runScript } from './script.ts';

const COMMON = {
  deployment: { model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' },
  experts: 8,
  rampSeconds: 1,
  lengths: 'c4',
  seed: 1,
  gateway: true,
} as const;

/** Slowed down enough for two cores that emulator, gateway and client share. */
const STAGES: readonly Stage[] = [
  { ...COMMON, users: 1, seconds: 20, slowDown: 1, gateway: false },
  { ...COMMON, users: 1, seconds: 20, slowDown: 1 },
  { ...COMMON, users: 100, seconds: 12, slowDown: 1 },
  { ...COMMON, users: 1000, seconds: 10, slowDown: 5 },
];

const HEAD = ['users', 'slowed', '', 'tokens/s', 'TTFT p50', 'p95', 'mean', 'TPOT p50', 'p95', 'mean'];

interface Pair {
  readonly stage: Stage;
  readonly live: LiveFigures;
  readonly simulated: Figures;
}

await runScript(async () => {
  const pairs: Pair[] = [];
  for (const stage of STAGES) {
    const live = await measureLive(stage);
    pairs.push({ stage, live, simulated: simulateStage(stage) });
    const { requests, errors, starved } = live;
    const words = `${requests} requests, ${errors} errors${starved ? '; the client lacked CPU' : ''}`;
    console.error(`${stage.users} users${stage.gateway ? '' : ', no gateway'}: ${words}`);
  }
  console.log(textTable([HEAD, ...pairs.flatMap(rows)]));
  console.log(summary(pairs.filter(({ stage }) => stage.gateway)));
});

function rows({ stage, live, simulated }: Pair): string[][] {
  const place = stage.gateway ? 'gateway' : 'direct';
  return [
    [`${stage.users}`, `${stage.slowDown} x`, place, ...cells(live)],
    ['', '', 'simulated', ...cells(simulated)],
  ];
}

function cells({ ttft, tpot, tokensPerSecond }: Figures): string[] {
  const times = [ttft.p50, ttft.p95, ttft.mean, tpot.p50, tpot.p95, tpot.mean];
  return [Math.round(tokensPerSecond).toLocaleString('en-US'), ...times.map((ms) => `${ms.toFixed(1)} ms`)];
}

function summary(pairs: readonly Pair[]): string {
  const line = (name: string, unit: string, of: (figures: Figures) => number): string => {
    const gaps = pairs.map(({ live, simulated }) => Math.abs(of(live) - of(simulated)));
    const shares = pairs.map(({ simulated }, i) => gaps[i]! / of(simulated));
    return `${name}: mean absolute error ${mean(gaps).toFixed(2)} ${unit}, ${(100 * mean(shares)).toFixed(2)} %`;
  };
  return [
    line('TTFT (means of stages)', 'ms', ({ ttft }) => ttft.mean),
    line('TPOT (means of stages)', 'ms', ({ tpot }) => tpot.mean),
    line('throughput', 'tokens/s', ({ tokensPerSecond }) => tokensPerSecond),
  ].join('\n');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
