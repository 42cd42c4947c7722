/** Simulated runs beside what really happened: a run of the recorded fleet and policy shows the simulator's own error. */

import { noticeText } from '../../replaying/notices.ts';
import { type Miss, missOf } from '../../replaying/reality.ts';
import type { RecordedLoad } from '../../replaying/recorded.ts';
import type { SimulatedRun } from './report.ts';

/** For the JSON: what was recorded, and the misses by run. */
export function besideReality({ really, notices }: RecordedLoad, runs: readonly SimulatedRun[]) {
  return {
    recorded: really,
    notices: notices.map((notice) => noticeText(notice)),
    misses: Object.fromEntries(runs.map((run) => [run.name, missOf(really, run.stages[0]!)])),
  };
}

const NAMES: Readonly<Record<keyof Miss, string>> = {
  tokens_per_second: 'tokens/s',
  ttft_p50: 'TTFT p50',
  ttft_p95: 'p95',
  ttft_p99: 'p99',
  tpot_p50: 'TPOT p50',
  tpot_p95: 'p95',
  e2e_p50: 'whole answer p50',
  e2e_p95: 'p95',
  e2e_p99: 'p99',
  at_home: 'at home',
};

export function missText({ really, notices }: RecordedLoad, runs: readonly SimulatedRun[]): string {
  const lines = runs.map((run) => {
    const miss = missOf(really, run.stages[0]!);
    const parts = (Object.keys(NAMES) as (keyof Miss)[]).map(
      (name) => `${NAMES[name]} ${percent(miss[name])}`,
    );
    return `${run.name}: ${parts.join(', ')}`;
  });
  return [
    'Against what really happened. A run of the fleet and the policy as they were shows the simulator’s own error; judge the',
    'others by what they change against that run.',
    ...lines,
    ...notices.map((notice) => `Note: ${noticeText(notice)}.`),
  ].join('\n');
}

function percent(share: number | null): string {
  if (share === null) return '–';
  return `${share < 0 ? '−' : '+'}${Math.round(100 * Math.abs(share))} %`;
}
