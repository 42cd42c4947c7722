/** A simulation's report: the pictures people ask for first, then the table, then what each expert did. */
import { escapeHtml } from '../../report/escape.ts';
import { type ChartPoint, lineChart } from '../../report/line-chart.ts';
import { htmlTable, page, type Section } from '../../report/page.ts';
import type { Deployment } from '../../simulating/deployment.ts';
import type { StageMeasures } from '../../simulating/fleet/measures.ts';
import { BANDS_MEAN, type Bands } from '../plan/band-text.ts';
import { STAGE_HEAD, stageRow } from '../stage-table.ts';
import { stageNotes } from './notes.ts';

export interface SimulatedRun {
  readonly name: string;
  readonly gpus: number;
  readonly stages: readonly StageMeasures[];
  readonly deployments: readonly Deployment[];
  readonly bands: Bands;
}

export interface ReportOptions {
  readonly title: string;
  readonly subtitle: string;
  readonly usdPerGpuHour?: number;
}

const ACCURACY = `Simulated, not measured. ${BANDS_MEAN} the shaded bands. docs/simulator.md says how they come about, and where the model is worse.`;

export function simulationReport(runs: readonly SimulatedRun[], options: ReportOptions): string {
  const staged = runs.some((run) => run.stages.length > 1);
  const sections: Section[] = [
    ...(staged ? [againstUsers(runs, options)] : []),
    { heading: 'Figures', figures: [figuresTable(runs, options), noteList(runs)] },
    ...runs.slice(0, 4).map(timelines),
  ];
  return page({ title: options.title, subtitle: options.subtitle, sections, footer: ACCURACY });
}

function againstUsers(runs: readonly SimulatedRun[], { usdPerGpuHour }: ReportOptions): Section {
  const users = [...new Set(runs.flatMap((run) => run.stages.map((s) => s.users)))];
  const chart = (
    title: string,
    label: string,
    value: (stage: StageMeasures, run: SimulatedRun) => number,
    metric: keyof Bands | null = null,
    scale: 'linear' | 'log' = 'linear',
  ): string =>
    lineChart({
      title,
      x: { label: 'users', scale: 'log', ticks: users },
      y: { label, scale },
      series: runs.map((run) => ({
        name: run.name,
        points: run.stages.map((stage): ChartPoint => {
          const y = value(stage, run);
          const factors = metric ? run.bands[metric] : null;
          const band = factors ? { low: y * factors.low, high: y * factors.high } : {};
          return { x: stage.users, y, ...band };
        }),
      })),
    });
  const priced =
    usdPerGpuHour === undefined
      ? []
      : [
          chart(
            'Cost',
            'US dollars per million output tokens',
            (s, run) => (usdPerGpuHour * run.gpus * 1e6) / 3600 / s.tokens_per_second,
            null,
            'log',
          ),
        ];
  return {
    heading: 'Against the number of users',
    figures: [
      chart('Throughput', 'output tokens per second', (s) => s.tokens_per_second, 'throughput'),
      chart('Time per output token', 'ms, median', (s) => s.tpot_ms.p50, 'tpot'),
      chart('Time to first token, median', 'ms', (s) => s.ttft_ms.p50, 'ttft', 'log'),
      chart('Time to first token, 95th percentile', 'ms', (s) => s.ttft_ms.p95, 'ttft', 'log'),
      chart('GPU utilisation', '% of the time in a step', (s) => 100 * s.gpu_utilisation),
      chart('KV cache', '% of blocks in use', (s) => 100 * s.kv_utilisation),
      ...priced,
    ],
  };
}

function figuresTable(runs: readonly SimulatedRun[], { usdPerGpuHour }: ReportOptions): string {
  const priced = usdPerGpuHour !== undefined;
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const rows = runs.flatMap((run) =>
    run.stages.map((s) => [
      ...stageRow(run.name, s),
      percent(s.gpu_utilisation),
      percent(s.kv_utilisation),
      percent(s.at_home),
      ...(priced ? [`$${((usdPerGpuHour * run.gpus * 1e6) / 3600 / s.tokens_per_second).toFixed(3)}`] : []),
    ]),
  );
  const head = [...STAGE_HEAD, 'GPU', 'cache', 'at home'];
  return htmlTable(priced ? [...head, '$/M tokens'] : head, rows);
}

function noteList(runs: readonly SimulatedRun[]): string {
  const notes = runs.flatMap((run) => run.stages.flatMap((stage) => stageNotes(run.name, stage)));
  return notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('');
}

/** The last stage, expert by expert. */
function timelines(run: SimulatedRun): Section {
  const stage = run.stages.at(-1)!;
  const part = stage.seconds / Math.max(1, stage.experts[0]!.timeline.length);
  const chart = (
    title: string,
    label: string,
    value: (point: { tokens_per_second: number; running: number }) => number,
  ): string =>
    lineChart({
      title,
      x: { label: 'seconds' },
      y: { label },
      // There are only as many colours.
      series: stage.experts.slice(0, 8).map((expert) => ({
        name: expert.id,
        points: expert.timeline.map((point, i) => ({ x: (i + 0.5) * part, y: value(point) })),
      })),
    });
  return {
    heading: `${run.name}: expert by expert${stage.users > 0 ? `, ${stage.users} users` : ''}`,
    figures: [
      chart('Throughput', 'output tokens per second', (p) => p.tokens_per_second),
      chart('Requests running', 'mean', (p) => p.running),
    ],
  };
}
