/** Plans as text for a terminal. */

import { textTable } from '../../report/text-table.ts';
import type { Deployment } from '../../simulating/deployment.ts';
import type { EngineLimits } from '../../simulating/memory.ts';
import type { PlanFigures } from '../../simulating/planner/figures.ts';
import { BANDS_MEAN, bandsOf, bandText } from './band-text.ts';

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

/** @param priced where the price is from, as a sentence; empty when there is nothing to say */
export function figuresTable(f: PlanFigures, limits: EngineLimits, d: Deployment, priced = ''): string {
  const memory = textTable([
    [
      'parameters',
      `${f.parameters_b} B`,
      f.active_parameters_b < f.parameters_b ? `${f.active_parameters_b} B a token` : '',
    ],
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
      `${100 * limits.kvFraction} % of ${d.engine.startsWith('tensorrt') ? 'the rest' : 'all memory, less the above'}; ${count(f.kv_bytes_per_token)} bytes a token`,
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
  return `${f.deployment}\n\n${memory}\n\n${load}\n\nWhat binds: ${BINDS[f.bound_by]}.\n${BANDS_MEAN}: ${bandText(bandsOf([d]))}.${priced && `\n${priced}`}${caveats([d])}`;
}

/** What a reader must know of figures that stand on less than measurements. */
export function caveats(deployments: readonly Deployment[]): string {
  const rooflines = [...new Set(deployments.filter(({ gpu }) => gpu.roofline).map(({ gpu }) => gpu.label))];
  const lines = [
    ...(rooflines.length > 0
      ? [
          `${rooflines.join(', ')}: nothing of it was measured; a roofline of its data sheet with a relative's efficiencies.`,
        ]
      : []),
    ...(deployments.some(({ gpu, engine }) => gpu.name === 'a100-pcie' && engine !== 'tensorrt-llm-0.14')
      ? [
          'A100 PCIe: measured with TensorRT-LLM 0.14 alone; three quarters of the peak (300 of 400 W) are assumed for all engines.',
        ]
      : []),
    ...(deployments.some(({ measured }) => measured)
      ? ['As calibrated: times are those measured on an engine of your own; its bands are not known.']
      : []),
    ...(deployments.some(({ engine }) => engine === 'sglang')
      ? ['SGLang: no published measurements that a model can follow; times are those of vLLM.']
      : []),
    ...(deployments.some(({ model }) => model.recurrent.length > 0)
      ? ['Linear-attention and state-space layers: a roofline without measurements; their memory is exact.']
      : []),
  ];
  return lines.map((line) => `\n${line}`).join('');
}
