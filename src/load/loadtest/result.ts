/** The versioned JSON of a load test, and a reader that also accepts a simulation's. */
import { UserError } from '../../core/errors.ts';
import type { ExpertShare, Percentiles } from './measures.ts';

export const SCHEMA = 'expert-router/load-test';
export const VERSION = 1;

/** The figures that load tests and simulations share, so that they can be compared. */
export interface CommonStage {
  /** Closed loop: number of users. Open loop: mean requests in flight; 0 in a simulation. */
  readonly users: number;
  readonly requests: number;
  readonly errors: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: Pick<Percentiles, 'p50' | 'p95' | 'p99' | 'mean'>;
  readonly tpot_ms: Pick<Percentiles, 'p50' | 'p95' | 'p99' | 'mean'>;
  readonly e2e_ms: Pick<Percentiles, 'p50' | 'p95' | 'p99' | 'mean'>;
}

export interface StageResult extends CommonStage {
  readonly loop: 'closed' | 'open';
  /** Requests started per second. */
  readonly requests_per_second: number;
  /** `requests` = `succeeded` + `errors` + `interrupted`. */
  readonly succeeded: number;
  readonly interrupted: number;
  readonly errors_by_kind: Readonly<Record<string, number>>;
  /** Tokens of all answers, including partial ones and those outside the measured window. */
  readonly tokens: number;
  /** `usage`: as reported; `content-chunks`: pieces counted; `mixed`: some of each. */
  readonly tokens_source: 'usage' | 'content-chunks' | 'mixed' | 'none';
  readonly ttft_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly itl_ms: Percentiles;
  readonly e2e_ms: Percentiles;
  /** How late requests were sent; latencies count from the intended start. */
  readonly start_lag_ms: Percentiles;
  /** Length of the stage, and of the part in which throughput was measured. */
  readonly seconds: number;
  readonly measured_seconds: number;
  readonly experts: readonly ExpertShare[];
  readonly connections_opened: number;
  readonly reconnects: number;
  readonly client: ClientCost;
}

export interface ClientCost {
  /** Share of one core. */
  readonly cpu: number;
  readonly event_loop_delay_p99_ms: number;
  /** The client lacked CPU, so that its figures include its own slowness. */
  readonly starved: boolean;
}

export interface LoadTestResult {
  readonly schema: typeof SCHEMA;
  readonly version: typeof VERSION;
  readonly name: string;
  readonly target: string;
  readonly model: string;
  readonly started_at: string;
  readonly streamed: boolean;
  readonly seed: number;
  /** The load in words. */
  readonly load: string;
  /** Stopped early by the user. */
  readonly interrupted: boolean;
  readonly stages: readonly StageResult[];
}

export interface ComparedRun {
  readonly name: string;
  readonly stages: readonly CommonStage[];
}

/**
 * The runs of a load test's JSON, or of `expert-router simulate --json`.
 * @throws {UserError} for a file that is neither
 */
export function readRuns(text: string, file: string): readonly ComparedRun[] {
  let json: { schema?: unknown; version?: unknown; name?: unknown; stages?: unknown; runs?: unknown };
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file}: is not valid JSON.`, { cause });
  }
  if (json.schema === SCHEMA && json.version !== VERSION)
    throw new UserError(`${file}: is of version ${json.version}; this program reads version ${VERSION}.`);
  const runs = Array.isArray(json.runs) ? json.runs : [json];
  if (!runs.every(isRun)) throw new UserError(`${file}: is neither a load test's JSON nor a simulation's.`);
  return runs;
}

function isRun(value: unknown): value is ComparedRun {
  const { name, stages } = (value ?? {}) as { name?: unknown; stages?: unknown };
  return (
    typeof name === 'string' &&
    Array.isArray(stages) &&
    stages.every(
      (stage: Partial<CommonStage> | null) =>
        typeof stage?.tokens_per_second === 'number' && typeof stage.ttft_ms?.p50 === 'number',
    )
  );
}
