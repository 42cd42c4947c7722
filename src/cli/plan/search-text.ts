/** The result of a search as text for a terminal and as JSON: what was proposed, what was rejected and why. */
import { textTable } from '../../report/text-table.ts';
import type { Deployment } from '../../simulating/deployment.ts';
import type { Percentiles } from '../../simulating/fleet/sketch.ts';
import type { TransformerShape } from '../../simulating/model/shape.ts';
import { type Demand, describeLevel, describeLoad } from '../../simulating/planner/demand.ts';
import { describeRent, LISTED } from '../../simulating/planner/instances.ts';
import type { Placement, Proposal, Rejected, SearchResult } from '../../simulating/planner/placements.ts';
import { PRICES_OF } from '../../simulating/planner/prices.ts';
import { steadyState } from '../../simulating/steady-state.ts';
import { BANDS_MEAN, bandsOf, bandText } from './band-text.ts';
import { percentileText } from './percentile-text.ts';
import { caveats, wait } from './tables.ts';

const count = (n: number): string =>
  n.toLocaleString('en-US', n < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });

/** Rejected ones that are shown; all are in the JSON. */
const MOST_REJECTED = 8;

export function searchText(found: SearchResult, demand: Demand, assumed: readonly string[]): string {
  const { mean, levels, load } = demand;
  const think = 'users' in load && load.thinkSeconds > 0 ? ` thinking ${load.thinkSeconds} s` : '';
  const asked = levels.map(describeLevel).join(', ') || 'no service level';
  const head = `${describeLoad(load)}${think}, ${mean.promptTokens} + ${mean.outputTokens} tokens, ${asked}`;
  const parts = [
    head,
    ...assumed.map((line) => `Assumed: ${line}.`),
    found.proposed.length > 0 ? proposals(found.proposed) : nothing(found.rejected, demand),
    bands(found),
    rejections(found),
    closing(found, demand),
  ];
  return parts.filter(Boolean).join('\n\n');
}

function proposals(proposed: readonly Proposal[]): string {
  const rows = proposed.map((p) => [
    'ok',
    p.name,
    String(p.gpus),
    ...(p.usd_per_hour === undefined
      ? ['–', '–']
      : [`$${p.usd_per_hour}`, `$${p.usd_per_million_output_tokens}`]),
    count(p.simulated.tokens_per_second),
    both(p.simulated.ttft_ms, wait),
    both(p.simulated.tpot_ms, (ms) => `${ms.toFixed(1)} ms`),
    p.bound_by,
    headroomText(p),
  ]);
  const head = [
    '',
    'placement',
    'GPUs',
    '$/h',
    '$/M tokens',
    'tokens/s',
    'TTFT p50 / p95',
    'TPOT p50 / p95',
    'bound by',
    'holds until',
  ];
  const rents = proposed.flatMap(({ name, rent }) => (rent ? [[name, describeRent(rent)]] : []));
  const rented = rents.length > 0 ? `\n\nRented whole\n${textTable(rents)}` : '';
  return `${textTable([head, ...rows])}${rented}`;
}

function bands({ proposed }: SearchResult): string {
  if (proposed.length === 0) return '';
  return `${BANDS_MEAN}\n${textTable(proposed.map((p) => [p.name, bandText(bandsOf([p.deployment]))]))}`;
}

/** The placement as `simulate` takes it in a scenario file. */
function scenarioPlacement(d: Deployment, copies: number, model: string): object {
  return {
    ...{ model, gpu: d.gpu.name, precision: d.precision.name },
    kv_cache: d.precision.kvBytes === 1 ? '8bit' : '16bit',
    ...{ tensor_parallel: d.tensorParallel, engine: d.engine, replicas: copies },
    ...(d.expertParallel ? { expert_parallel: true } : {}),
    ...(d.attentionData ? { attention_data_parallel: true } : {}),
  };
}

function both(of: Percentiles, text: (ms: number) => string): string {
  return `${percentileText(of, 'p50', text)} / ${percentileText(of, 'p95', text)}`;
}

/** How far the edge is: `750 users (+25 %)`. */
function headroomText({ headroom: { holds, breaks } }: Proposal): string {
  return breaks === null
    ? `beyond ${describeLoad(holds)}`
    : `${describeLoad(holds)}, breaks at ${describeLoad(breaks)}`;
}

function nothing(rejected: readonly Rejected[], { levels, load, mean, limits }: Demand): string {
  for (const level of levels) {
    const metric = `${level.metric}Seconds` as const;
    const alone = rejected.map(({ deployment }) => steadyState(deployment, limits, mean, 1)[metric]);
    const least = 1000 * Math.min(...alone);
    if (least > 1000 * level.seconds)
      return `Nothing keeps ${describeLevel(level)}, however many GPUs: of one user alone it is ${wait(least)} at the least.`;
  }
  if ('perSecond' in load) {
    const each = Math.max(...rejected.map((p) => p.tokens_per_second / mean.outputTokens / p.gpus));
    const least = Math.ceil(load.perSecond / each);
    if (least > Math.max(...rejected.map(({ gpus }) => gpus)))
      return `Nothing carries this load: by arithmetic it takes ${count(least)} GPUs or more (--gpus).`;
  }
  return levels.length > 0
    ? 'Nothing keeps the levels: allow more GPUs, or wait longer.'
    : 'Nothing carries this load: allow more GPUs.';
}

function rejections({ rejected }: SearchResult): string {
  if (rejected.length === 0) return '';
  const shown = rejected
    .slice(0, MOST_REJECTED)
    .map((p) => [`no`, p.name, p.simulated ? 'simulated' : 'arithmetic', p.reason]);
  const more = rejected.length - shown.length;
  return `Rejected\n${textTable(shown)}${more > 0 ? `\nand ${more} more (--json has all)` : ''}`;
}

function closing({ proposed, unexamined }: SearchResult, { instances }: Demand): string {
  const rest = unexamined.length > 0 ? ` ${unexamined.length} dearer placements were not simulated.` : '';
  const dollars = instances
    ? `dollars are list prices on demand of ${LISTED}, whole machines`
    : `dollars are round figures of ${PRICES_OF} unless --price says others`;
  return `Proposed placements were simulated, users spread evenly; ${dollars}.${rest} For skew and policies: expert-router simulate.${caveats(proposed.map((p) => p.deployment))}`;
}

/** @param named what the user called each model: a built-in name or a path, as a scenario file calls it too */
export function searchJson(
  found: SearchResult,
  demand: Demand,
  assumed: readonly string[],
  named: ReadonlyMap<TransformerShape, string>,
): string {
  const plain = <T extends Placement>({ deployment: d, ...rest }: T) => ({
    ...rest,
    scenario: scenarioPlacement(d, rest.copies, named.get(d.model) ?? d.model.name),
  });
  const simulated = (p: { readonly simulated?: Proposal['simulated'] }): object => {
    if (!p.simulated) return {};
    const { experts: _, ...run } = p.simulated;
    return { simulated: run };
  };
  const body = {
    load: demand.load,
    assumed,
    levels: demand.levels,
    proposed: found.proposed.map((p) => ({ ...plain(p), bands: bandsOf([p.deployment]), ...simulated(p) })),
    rejected: found.rejected.map((p) => ({ ...plain(p), ...simulated(p) })),
    unexamined: found.unexamined.map(plain),
  };
  return JSON.stringify(body, null, 2);
}
