/** The figures of stages, measured or simulated, as rows of one table. */
import { shortMs } from '../report/scale.ts';
import { type PercentilesOf, percentileText } from './plan/percentile-text.ts';

const QUANTILES = ['p50', 'p95', 'p99'] as const;

type Percentiles = PercentilesOf<(typeof QUANTILES)[number]>;

interface Stage {
  /** 0 where there are none to count. */
  readonly users: number;
  readonly requests: number;
  readonly errors: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly e2e_ms: Percentiles;
}

export const STAGE_HEAD: readonly string[] = [
  '',
  'users',
  'requests',
  'errors',
  'tokens/s',
  ...['TTFT', 'TPOT', 'E2E'].flatMap((time) => [`${time} p50 ms`, 'p95', 'p99']),
];

/** @param against what is said of the throughput beside its figure */
export function stageRow(name: string, stage: Stage, against = ''): readonly string[] {
  return [
    name,
    stage.users > 0 ? String(stage.users) : 'open loop',
    stage.requests.toLocaleString('en-US'),
    String(stage.errors),
    Math.round(stage.tokens_per_second).toLocaleString('en-US') + against,
    ...[stage.ttft_ms, stage.tpot_ms, stage.e2e_ms].flatMap((times) =>
      QUANTILES.map((q) => percentileText(times, q, shortMs)),
    ),
  ];
}
