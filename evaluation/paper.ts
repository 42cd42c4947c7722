/**
 * `npm run paper`: evaluates Expert Router on one simulated DGX H100. Writes charts to `docs/pictures/`, tables between
 * the markers in `docs/evaluation.md`, and all figures to `.cache/paper.json`. Needs no external data.
 */

import { writeFileAtomically } from '../src/core/files.ts';
import { progressBar } from '../src/core/progress.ts';
import { POLICIES } from '../src/deciding/routing/policies/index.ts';
import { nearest } from '../src/deciding/routing/policies/nearest.ts';
import { spill } from '../src/deciding/routing/policies/spill.ts';
import { bindPolicy } from '../src/deciding/routing/policy.ts';
import { type ChartPoint, lineChart } from '../src/report/line-chart.ts';
import { standaloneSvg } from '../src/report/page.ts';
import { bandOf, type PredictedMetric } from '../src/simulating/cost/bands.ts';
import { deployment } from '../src/simulating/deployment.ts';
import type { StageMeasures } from '../src/simulating/fleet/measures.ts';
import { DEFAULT_LIMITS } from '../src/simulating/memory.ts';
import { steadyState } from '../src/simulating/steady-state.ts';
import { fillDocument, markdownTable } from './paper/document.ts';
import { BASELINES, type Conditions, EQUALS, EXPERTS, type Line, runLine, USERS } from './paper/matrix.ts';
import { runScript } from './script.ts';

const BALANCED_C4: Conditions = { lengths: 'c4', skew: 0, policy: bindPolicy(nearest) };
const BALANCED_CHAT: Conditions = { lengths: 'chat', skew: 0, policy: bindPolicy(nearest) };
/** An eighth of the most users fit into each expert: what is more waits at the router, or goes elsewhere. */
const SKEWED = { lengths: 'chat', skew: 1, slots: 125 } as const;
/** Every policy with default options, except for the trade-off of `spill`. */
const ALL_POLICIES = POLICIES.map((policy) =>
  bindPolicy(policy, policy === spill ? { seconds_per_affinity: 2 } : {}),
);

const EQUAL_COPIES = '8 equal replicas';

interface Results {
  readonly c4: readonly Line[];
  readonly chat: readonly Line[];
  readonly skewed: readonly Line[];
}

function runAll(progress: (done: number, total: number, what: string) => void): Results {
  const all = [...Object.values(EXPERTS), ...Object.values(EQUALS), ...Object.values(BASELINES)];
  // Llama 2 was trained for 4,096 tokens: chats of up to 5,120 are beyond it.
  const modern = all.filter((c) => !c.model.startsWith('llama-2'));
  const total = all.length + modern.length + ALL_POLICIES.length + 1;
  let done = 0;
  const told = (line: () => Line): Line => {
    const result = line();
    progress(++done, total, result.name);
    return result;
  };
  return {
    c4: all.map((c) => told(() => runLine(c, BALANCED_C4))),
    chat: modern.map((c) => told(() => runLine(c, BALANCED_CHAT))),
    skewed: [
      ...ALL_POLICIES.map((policy) => told(() => runLine(EXPERTS.small8, { ...SKEWED, policy }, policy.id))),
      told(() => runLine(EQUALS.equal8, { ...SKEWED, policy: bindPolicy(nearest) }, EQUAL_COPIES)),
    ],
  };
}

function picture(
  title: string,
  label: string,
  lines: readonly Line[],
  value: (s: StageMeasures) => number,
  metric: PredictedMetric | null = null,
  log = false,
): string {
  const series = lines.map(({ name, stages, deployment }) => {
    const band = metric ? bandOf(deployment, metric) : null;
    return {
      name,
      points: stages.map((stage): ChartPoint => {
        const y = value(stage);
        return { x: stage.users, y, ...(band ? { low: y * band.low, high: y * band.high } : {}) };
      }),
    };
  });
  return standaloneSvg(
    lineChart({
      title,
      x: { label: 'users', scale: 'log', ticks: USERS },
      y: {
        label: metric ? `${label}; bands: four of five measured` : label,
        scale: log ? 'log' : 'linear',
      },
      series,
    }),
  );
}

function pictures({ c4, chat, skewed }: Results): Readonly<Record<string, string>> {
  const pick = (lines: readonly Line[], ...names: readonly string[]): readonly Line[] =>
    names.map((name) => lines.find((line) => line.name === name)!);
  const small = pick(
    c4,
    '8 x 7B FP16',
    '8 x 7B FP8',
    '8 x 13B FP8',
    '7B FP16 TP8',
    '7B FP8 TP8',
    '13B FP8 TP8',
    '70B FP8 TP8',
  );
  const chats = pick(
    chat,
    '8 x 8B FP8',
    '8B FP8 TP8',
    '8 x 70B FP8',
    '4 x 70B FP8 TP2',
    '2 x 70B FP8 TP4',
    '70B FP8 TP8',
  );
  const tokens = (s: StageMeasures): number => s.tokens_per_second;
  const perToken = (s: StageMeasures): number => s.tpot_ms.p50;
  const first = (s: StageMeasures): number => s.ttft_ms.p50;
  return {
    'throughput-c4': picture('Throughput, C4-like lengths', 'output tokens/s', small, tokens, 'throughput'),
    'tpot-c4': picture('Time per output token, C4-like lengths', 'ms, median', small, perToken, 'tpot', true),
    'ttft-c4': picture('Time to first token, C4-like lengths', 'ms, median', small, first, 'ttft', true),
    'throughput-chat': picture(
      'Throughput, chat-like lengths',
      'output tokens/s',
      chats,
      tokens,
      'throughput',
      true,
    ),
    'tpot-chat': picture(
      'Time per output token, chat-like lengths',
      'ms, median',
      chats,
      perToken,
      'tpot',
      true,
    ),
    'ttft-chat': picture('Time to first token, chat-like lengths', 'ms, median', chats, first, 'ttft', true),
    'throughput-skewed': picture('Throughput, skewed clusters', 'output tokens per second', skewed, tokens),
    'ttft-skewed': picture(
      'Time to first token, skewed clusters',
      'ms, 95th percentile',
      skewed,
      (s) => s.ttft_ms.p95,
      null,
      true,
    ),
    // To equal copies no prompt has an expert of its own.
    'home-skewed': picture(
      'Prompts with their own expert',
      '%',
      skewed.filter(({ name }) => name !== EQUAL_COPIES),
      (s) => 100 * s.at_home,
    ),
  };
}

/** Ratios of eight TP1 copies over one TP8, computed elsewhere from public kernel and end-to-end measurements. */
const MEASURED_RATIOS = [
  { name: '8B FP8 on H100', model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8', measured: [1.1, 1.59] },
  {
    name: 'Qwen3-32B FP8 on H200',
    model: 'qwen3-32b',
    gpu: 'h200',
    precision: 'fp8',
    measured: [1.06, 1.38],
  },
  { name: '70B FP8 on H200', model: 'llama-3.1-70b', gpu: 'h200', precision: 'fp8', measured: [0.73, 1.03] },
] as const;
const RATIO_USERS = [64, 128] as const;
/** Prompt and answer of the measured runs. */
const RATIO_LENGTHS = { promptTokens: 1024, outputTokens: 1024 };

/** Ours beside the measured ones, in steady state. */
function measuredRatios(): string {
  const rows = MEASURED_RATIOS.map(({ name, measured, ...names }) => {
    const rate = (tensorParallel: number, users: number): number =>
      steadyState(deployment({ ...names, tensorParallel }), DEFAULT_LIMITS, RATIO_LENGTHS, users)
        .tokensPerSecond;
    const ours = RATIO_USERS.map((users) => ((8 * rate(1, users / 8)) / rate(8, users)).toFixed(2));
    return [name, ...RATIO_USERS.flatMap((_, i) => [measured[i]!.toFixed(2), ours[i]!])];
  });
  return markdownTable(
    ['8 x TP1 over TP8', ...RATIO_USERS.flatMap((n) => [`measured, ${n} users`, 'ours'])],
    rows,
  );
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const ms = (n: number): string => (n < 100 ? n.toFixed(1) : count(n));

/** The range over seeds, or one number where it does not show. */
function ratios(over: readonly number[], under: readonly number[]): string {
  const all = over.map((value, seed) => value / under[seed]!);
  const [low, high] = [Math.min(...all).toFixed(2), Math.max(...all).toFixed(2)];
  return low === high ? low : `${low}–${high}`;
}

/** Small experts' throughput over each baseline's, by users: the advantage and its growth. */
function advantage({ c4, chat }: Results): string {
  const pairs: readonly (readonly [readonly Line[], string, string, string])[] = [
    [c4, '8 x 7B FP16', '7B FP16 TP8', 'C4'],
    [c4, '8 x 7B FP8', '7B FP8 TP8', 'C4'],
    [c4, '8 x 13B FP8', '13B FP8 TP8', 'C4'],
    [c4, '8 x 8B FP8', '8B FP8 TP8', 'C4'],
    [c4, '8 x 8B FP8', '8 equal 8B FP8', 'C4'],
    [c4, '8 x 8B FP8', '70B FP8 TP8', 'C4'],
    [chat, '8 x 8B FP8', '8B FP8 TP8', 'chat'],
    [chat, '8 x 8B FP8', '8 equal 8B FP8', 'chat'],
    [chat, '8 x 8B FP8', '70B FP8 TP8', 'chat'],
  ];
  const rows = pairs.map(([lines, experts, baseline, lengths]) => {
    const [a, b] = [experts, baseline].map((name) => lines.find((line) => line.name === name)!);
    return [
      `${experts} / ${baseline}, ${lengths}`,
      ...USERS.map((_, u) => ratios(a!.throughputs[u]!, b!.throughputs[u]!)),
    ];
  });
  return markdownTable(['throughput ratio at users', ...USERS.map(String)], rows);
}

function figures(lines: readonly Line[], users: readonly number[]): string {
  const rows = lines.flatMap(({ name, stages }) =>
    stages
      .filter((s) => users.includes(s.users))
      .map((s) => [
        name,
        String(s.users),
        count(s.tokens_per_second),
        `${ms(s.ttft_ms.p50)} / ${ms(s.ttft_ms.p95)}`,
        `${ms(s.tpot_ms.p50)} / ${ms(s.tpot_ms.p95)}`,
        `${Math.round(100 * s.kv_utilisation)} %`,
        `${Math.round(100 * s.at_home)} %`,
      ]),
  );
  return markdownTable(
    ['', 'users', 'tokens/s', 'TTFT p50 / p95 ms', 'TPOT p50 / p95 ms', 'cache', 'at home'],
    rows,
  );
}

await runScript(async () => {
  const bar = progressBar('paper', 'items');
  const results = runAll((done, total, what) => bar.update(done, total, what));
  bar.finish();
  for (const [name, svg] of Object.entries(pictures(results)))
    await writeFileAtomically(`docs/pictures/${name}.svg`, svg);
  await writeFileAtomically(
    '.cache/paper.json',
    `${JSON.stringify(results, (key, value) => (key === 'deployment' ? undefined : value), 2)}\n`,
  );
  const blocks = {
    advantage: advantage(results),
    'measured-ratios': measuredRatios(),
    'figures-c4': figures(results.c4, [1, 100, 1000]),
    'figures-chat': figures(results.chat, [1, 100, 1000]),
    'figures-skewed': figures(results.skewed, [100, 500, 1000]),
  };
  await fillDocument('docs/evaluation.md', blocks);
  console.log(blocks.advantage);
  console.log('wrote docs/pictures/*.svg, the tables of docs/evaluation.md, and .cache/paper.json');
});
