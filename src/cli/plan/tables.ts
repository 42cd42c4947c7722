/** Plans as text for a terminal. */

import { textTable } from '../../report/text-table.ts';
import type { EngineLimits } from '../../simulating/memory.ts';
import type { PlanFigures } from '../../simulating/planner/figures.ts';
import type { Demand, Placement } from '../../simulating/planner/placements.ts';

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** Milliseconds up to ten seconds, then seconds. */
export function wait(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  return ms < 10_000 ? `${count(ms)} ms` : `${count(ms / 1000)} s`;
}

const BINDS: Readonly<Record<PlanFigures['bound_by'], string>> = {
  'memory capacity':
    'the cache is full before the GPU is busy: more memory or a narrower precision would help',
  'memory bandwidth': 'reading weights and cache: more bandwidth or a narrower precision would help',
  compute: 'arithmetic: more FLOPS or a narrower precision would help',
  communication: 'all-reduces between the GPUs: a lower tensor-parallel degree would waste less',
};

export function figuresTable(f: PlanFigures, limits: EngineLimits): string {
  const memory = textTable([
    ['GPU memory', `${f.gpu_memory_gb} GB`, ''],
    ['weights', `${f.weights_gb} GB`, ''],
    [
      'activations, reserve',
      `${f.reserve_gb} GB`,
      `batch ≤ ${limits.maxBatch}, tokens per step ≤ ${limits.maxTokens}`,
    ],
    [
      'KV cache',
      `${f.kv_cache_gb} GB`,
      `${100 * limits.kvFraction} % of the remaining memory; ${count(f.kv_bytes_per_token)} bytes per token`,
    ],
    ['tokens in the cache', count(f.max_tokens_in_kv), ''],
    ['requests at once', count(f.max_concurrent), `of ${f.input_tokens} + ${f.output_tokens} tokens`],
    ['tokens per second', count(f.tokens_per_second), `output, at full load; bound by ${f.bound_by}`],
    ...(f.usd_per_million_output_tokens === undefined
      ? []
      : [['cost', `$${f.usd_per_million_output_tokens}`, 'per million output tokens, GPUs always busy']]),
  ]);
  const load = textTable([
    ['users', 'tokens/s', 'TTFT', 'TPOT', 'bound by'],
    ...f.load.map((p) => [
      count(p.users),
      count(p.tokens_per_second),
      wait(p.ttft_ms),
      `${p.tpot_ms} ms`,
      p.bound_by,
    ]),
  ]);
  return `${f.deployment}\n\n${memory}\n\n${load}\n\nBottleneck: ${BINDS[f.bound_by]}.`;
}

export function placementsTable(found: readonly Placement[], demand: Demand): string {
  const priced = demand.usdPerGpuHour !== undefined;
  const { level, users, lengths } = demand;
  const asked = [
    ...(level.ttftSeconds ? [`TTFT ≤ ${level.ttftSeconds} s`] : []),
    ...(level.tpotSeconds ? [`TPOT ≤ ${Math.round(1000 * level.tpotSeconds)} ms`] : []),
  ];
  const table = textTable([
    [
      '',
      'placement',
      'GPUs',
      'users each',
      'capacity',
      'tokens/s',
      'TTFT',
      'TPOT',
      ...(priced ? ['$/M tokens'] : []),
      'bound by',
    ],
    ...found.map((p) => [
      p.meets ? 'ok' : 'no',
      p.name,
      String(p.gpus),
      count(p.users_per_copy),
      count(p.max_concurrent),
      count(p.tokens_per_second),
      wait(p.ttft_ms),
      `${p.tpot_ms} ms`,
      ...(priced ? [`$${p.usd_per_million_output_tokens}`] : []),
      p.bound_by,
    ]),
  ]);
  const head = `${count(users)} users, ${lengths.promptTokens} + ${lengths.outputTokens} tokens, ${asked.join(', ') || 'no service level'}`;
  const none = found.some((p) => p.meets)
    ? ''
    : '\n\nNone meets the service level: allow more GPUs or relax --slo.';
  return `${head}\n\n${table}${none}\n\nMeans, users spread evenly. For percentiles, skew and policies: expert-router simulate.`;
}
