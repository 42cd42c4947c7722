/** The HTML reports of a load test and of several runs side by side: charts first, then tables. */
import type { Percentiles } from '../../load/loadtest/measures.ts';
import type { ComparedRun, LoadTestResult, StageResult } from '../../load/loadtest/result.ts';
import { type ChartPoint, type ChartSeries, lineChart } from '../../report/line-chart.ts';
import { htmlTable, page, type Section } from '../../report/page.ts';
import { STAGE_HEAD, stageRow } from '../stage-table.ts';

const HOW_TO_READ = `Latencies count from a request's intended start, even if it was delayed. TTFT: time to the first token. TPOT: mean time per token after the first. ITL: time between two arrivals of content. docs/load-test.md defines each figure.`;

export function loadTestReport(result: LoadTestResult): string {
  const { stages } = result;
  const staged = stages.length > 1;
  const sections: Section[] = [
    ...(staged ? [againstUsers([result])] : []),
    ...stages.slice(-1).map((stage) => distribution(stage, staged)),
    { heading: 'Figures', figures: [figures([result])] },
    ...perExpert(stages),
    { heading: 'Errors and the client itself', ...health(stages) },
  ];
  return page({
    title: result.name,
    subtitle: `${result.target}, model ${result.model}; ${result.load}. ${result.started_at.slice(0, 16).replace('T', ' ')} UTC.${result.interrupted ? ' Stopped early.' : ''}`,
    sections,
    footer: HOW_TO_READ,
  });
}

export function comparisonReport(runs: readonly ComparedRun[]): string {
  return page({
    title: runs.map((run) => run.name).join(' · '),
    subtitle: 'Runs side by side. Percentages are relative to the first.',
    sections: [againstUsers(runs), { heading: 'Figures', figures: [figures(runs)] }],
    footer: HOW_TO_READ,
  });
}

type Stage = ComparedRun['stages'][number];

/** One run is shown as a line per percentile; several as one line each, with a band up to the 99th. */
function againstUsers(runs: readonly ComparedRun[]): Section {
  const ticks = [...new Set(runs.flatMap((run) => run.stages.map((stage) => stage.users)))].sort(
    (a, b) => a - b,
  );
  const chart = (title: string, label: string, series: readonly ChartSeries[], scale?: 'log'): string =>
    lineChart({
      title,
      x: { label: 'users', scale: 'log', ticks },
      y: { label, ...(scale ? { scale } : {}) },
      series,
    });
  const line = (run: ComparedRun, name: string, y: (stage: Stage) => number): ChartSeries => ({
    name,
    points: run.stages.map((stage) => ({ x: stage.users, y: y(stage) })),
  });
  const latency = (of: Latency): readonly ChartSeries[] =>
    runs.length === 1
      ? (['p50', 'p95', 'p99'] as const).map((p) =>
          line(runs[0]!, p === 'p50' ? 'median' : p, (s) => s[of][p]),
        )
      : runs.map((run) => ({ name: run.name, points: run.stages.map((stage) => banded(stage, of)) }));
  const label = runs.length === 1 ? 'ms' : 'ms, median; band up to p99';
  const throughput = runs.map((run) =>
    line(run, runs.length === 1 ? 'tokens/s' : run.name, (s) => s.tokens_per_second),
  );
  return {
    heading: 'Against the number of users',
    figures: [
      chart('Throughput', 'output tokens per second', throughput),
      chart('Time to first token', label, latency('ttft_ms'), 'log'),
      chart('Time per output token', label, latency('tpot_ms')),
      chart('Whole answer', label, latency('e2e_ms'), 'log'),
    ],
  };
}

type Latency = 'ttft_ms' | 'tpot_ms' | 'e2e_ms';

function banded(stage: Stage, of: Latency): ChartPoint {
  const { p50, p99 } = stage[of];
  return { x: stage.users, y: p50, low: p50, high: p99 };
}

/** Percentiles by how many requests there are for each slower one. */
const ONE_IN = [
  ['p50', 2],
  ['p90', 10],
  ['p95', 20],
  ['p99', 100],
  ['p999', 1000],
] as const;

/** The latency distribution of one stage: where a line bends up, a few users wait much longer than the rest. */
function distribution(stage: StageResult, staged: boolean): Section {
  // A percentile beyond the number of samples would only repeat the largest.
  const seen = (samples: number) => ONE_IN.filter(([, oneIn]) => oneIn <= samples);
  const line = (name: string, of: Percentiles, samples: number): ChartSeries => ({
    name,
    points: seen(samples).map(([key, x]) => ({ x, y: of[key] })),
  });
  const chart = (title: string, lines: readonly ChartSeries[]): string =>
    lineChart({
      title,
      x: { label: 'one in this many is slower', scale: 'log', ticks: ONE_IN.map(([, x]) => x) },
      y: { label: 'ms', scale: 'log' },
      series: lines.filter(({ points }) => points.some(({ y }) => y > 0)),
    });
  const answers = stage.succeeded;
  return {
    heading: staged ? `The tail at ${labelled(stage)}` : 'The tail',
    figures: [
      chart('Waiting', [
        line('first token', stage.ttft_ms, answers),
        line('whole answer', stage.e2e_ms, answers),
      ]),
      chart('Reading', [
        line('per answer (TPOT)', stage.tpot_ms, answers),
        line('per gap (ITL)', stage.itl_ms, stage.tokens),
      ]),
    ],
  };
}

function perExpert(stages: readonly StageResult[]): readonly Section[] {
  const ids = [...new Set(stages.flatMap((stage) => stage.experts.map(({ id }) => id)))].sort();
  if (ids.length === 0 || (ids.length === 1 && ids[0] === 'unnamed')) return [];
  const named = (id: string, of: 'share' | 'tokens_per_second') => (stage: StageResult) =>
    stage.experts.find((expert) => expert.id === id)?.[of] ?? 0;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows = ids.map((id) => [id, ...stages.map((stage) => percent(named(id, 'share')(stage)))]);
  const table = htmlTable(['share of requests', ...stages.map(labelled)], rows);
  const chart = lineChart({
    title: 'Share of requests by expert',
    x: { label: 'users', scale: 'log', ticks: stages.map((stage) => stage.users) },
    y: { label: '% of answered requests' },
    series: ids.slice(0, 8).map((id) => ({
      name: id,
      points: stages.map((stage) => ({ x: stage.users, y: 100 * named(id, 'share')(stage) })),
    })),
  });
  return [{ heading: 'Who answered', figures: stages.length > 1 ? [chart, table] : [table] }];
}

function labelled(stage: StageResult): string {
  return stage.loop === 'closed'
    ? `${stage.users} user${stage.users === 1 ? '' : 's'}`
    : `${stage.requests_per_second.toFixed(1)} req/s`;
}

function health(stages: readonly StageResult[]): Pick<Section, 'text' | 'figures'> {
  const starved = stages.filter((stage) => stage.client.starved).map(labelled);
  const rows = stages.map((stage) => [
    labelled(stage),
    String(stage.errors),
    Object.entries(stage.errors_by_kind)
      .map(([kind, n]) => `${n} × ${kind}`)
      .join(', ') || '–',
    String(stage.interrupted),
    String(stage.reconnects),
    `${Math.round(100 * stage.client.cpu)} %`,
    stage.client.event_loop_delay_p99_ms.toFixed(1),
    stage.start_lag_ms.p99.toFixed(1),
  ]);
  const head = [
    '',
    'errors',
    'kinds',
    'cut off at the end',
    'reconnects',
    'CPU of a core',
    'loop delay p99 ms',
    'start lag p99 ms',
  ];
  return {
    figures: [htmlTable(head, rows)],
    ...(starved.length > 0
      ? { text: `The client lacked CPU at ${starved.join(', ')}: those figures include its own slowness.` }
      : {}),
  };
}

/** One row per stage, grouped by number of users. */
function figures(runs: readonly ComparedRun[]): string {
  return htmlTable(STAGE_HEAD, comparisonRows(runs));
}

/** The table's rows; in a comparison, throughput is also given relative to the first run. */
export function comparisonRows(runs: readonly ComparedRun[]): readonly (readonly string[])[] {
  const [first] = runs;
  return runs
    .flatMap((run) => run.stages.map((stage, index) => ({ run, stage, index })))
    .sort((a, b) => a.index - b.index)
    .map(({ run, stage, index }) => {
      const base = run === first ? undefined : first?.stages[index]?.tokens_per_second;
      const against = base ? ` (${signed(stage.tokens_per_second / base - 1)})` : '';
      return stageRow(runs.length > 1 ? run.name : '', stage, against);
    });
}

function signed(change: number): string {
  return `${change >= 0 ? '+' : '−'}${Math.abs(100 * change).toFixed(1)} %`;
}
