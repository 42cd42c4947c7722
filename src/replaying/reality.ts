/** How far a simulated run is from what really happened. */
import type { StageMeasures } from '../simulating/fleet/measures.ts';
import type { Recorded } from './recorded.ts';

/** Simulated over recorded, less 1; null where one of them is unknown. */
export interface Miss {
  readonly tokens_per_second: number | null;
  readonly ttft_p50: number | null;
  readonly ttft_p95: number | null;
  readonly ttft_p99: number | null;
  readonly tpot_p50: number | null;
  readonly tpot_p95: number | null;
  readonly e2e_p50: number | null;
  readonly e2e_p95: number | null;
  readonly e2e_p99: number | null;
  readonly at_home: number | null;
}

export function missOf(really: Recorded, stage: StageMeasures): Miss {
  const over = (simulated: number, recorded: number): number | null =>
    Number.isFinite(simulated) && recorded > 0 ? simulated / recorded - 1 : null;
  return {
    tokens_per_second: over(stage.tokens_per_second, really.tokens_per_second),
    ttft_p50: over(stage.ttft_ms.p50, really.ttft_ms.p50),
    ttft_p95: over(stage.ttft_ms.p95, really.ttft_ms.p95),
    ttft_p99: over(stage.ttft_ms.p99, really.ttft_ms.p99),
    tpot_p50: over(stage.tpot_ms.p50, really.tpot_ms.p50),
    tpot_p95: over(stage.tpot_ms.p95, really.tpot_ms.p95),
    e2e_p50: over(stage.e2e_ms.p50, really.e2e_ms.p50),
    e2e_p95: over(stage.e2e_ms.p95, really.e2e_ms.p95),
    e2e_p99: over(stage.e2e_ms.p99, really.e2e_ms.p99),
    at_home: over(stage.at_home, really.at_home),
  };
}
