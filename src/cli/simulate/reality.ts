/** Simulated runs beside what really happened: what a run with the recorded fleet and policy misses, it misses elsewhere. */

import type { Recorded, RecordedLoad } from './recorded.ts';
import type { SimulatedRun } from './report.ts';

/** Simulated over recorded, less 1; null where one of them is unknown. */
export interface Miss {
  readonly tokens_per_second: number | null;
  readonly ttft_p50: number | null;
  readonly ttft_p95: number | null;
  readonly tpot_p50: number | null;
  readonly at_home: number | null;
}

export function missOf(really: Recorded, run: SimulatedRun): Miss {
  const stage = run.stages[0]!;
  const over = (simulated: number, recorded: number): number | null =>
    Number.isFinite(simulated) && recorded > 0 ? simulated / recorded - 1 : null;
  return {
    tokens_per_second: over(stage.tokens_per_second, really.tokens_per_second),
    ttft_p50: over(stage.ttft_ms.p50, really.ttft_ms.p50),
    ttft_p95: over(stage.ttft_ms.p95, really.ttft_ms.p95),
    tpot_p50: over(stage.tpot_ms.p50, really.tpot_ms.p50),
    at_home: over(stage.at_home, really.at_home),
  };
}

/** For the JSON: what was recorded, and the misses by run. */
export function besideReality({ really, notices }: RecordedLoad, runs: readonly SimulatedRun[]) {
  return {
    recorded: really,
    notices,
    misses: Object.fromEntries(runs.map((run) => [run.name, missOf(really, run)])),
  };
}

const NAMES: Readonly<Record<keyof Miss, string>> = {
  tokens_per_second: 'tokens/s',
  ttft_p50: 'TTFT p50',
  ttft_p95: 'p95',
  tpot_p50: 'TPOT p50',
  at_home: 'at home',
};

export function missText({ really, notices }: RecordedLoad, runs: readonly SimulatedRun[]): string {
  const lines = runs.map((run) => {
    const miss = missOf(really, run);
    const parts = (Object.keys(NAMES) as (keyof Miss)[]).map(
      (name) => `${NAMES[name]} ${percent(miss[name])}`,
    );
    return `${run.name}: ${parts.join(', ')}`;
  });
  return [
    'Against what really happened. A run of the fleet and the policy as they were shows the simulator’s own error; judge the',
    'others by what they change against that run.',
    ...lines,
    ...notices.map((notice) => `Note: ${notice}.`),
  ].join('\n');
}

function percent(share: number | null): string {
  if (share === null) return '–';
  return `${share < 0 ? '−' : '+'}${Math.round(100 * Math.abs(share))} %`;
}
