/** Renders a training report as one HTML page. */
import { amount } from '../../../core/progress.ts';
import { dotMap, groupColour } from '../../../report/dot-map.ts';
import { escapeHtml } from '../../../report/escape.ts';
import { type ChartSeries, lineChart } from '../../../report/line-chart.ts';
import { bar, barTable, htmlList, htmlTable, page, type Section, tiles } from '../../../report/page.ts';
import type { ReportCluster, TrainingReport } from './data.ts';

const LABELS_ON_MAP = 28;

export function reportHtml(report: TrainingReport): string {
  return page({
    title: 'What the router learned',
    subtitle: lead(report),
    sections: [
      { heading: 'Summary', figures: [summary(report)] },
      mapSection(report),
      calibrationSection(report),
      curveSection(report),
      clusterSection(report),
      ...howSections(report),
    ],
    footer: `Router model ${report.model}. The same prompts and seed ${report.seed} give the same model, bit for bit.`,
  });
}

function lead({ prompts, clusters, calibrationError, agreement }: TrainingReport): string {
  return `${count(prompts)} prompts in ${clusters.length} clusters, found without labels. A model trained on other prompts of the same kind would agree with ${percent(agreement)} of its decisions; its stated confidence is off by ${percent(calibrationError, 1)} on average.`;
}

function summary(report: TrainingReport): string {
  const seconds = report.stages.reduce((sum, one) => sum + one.seconds, 0);
  const gap = report.heldOut.training === 0 ? 0 : report.heldOut.heldOut / report.heldOut.training - 1;
  return tiles([
    ['prompts', count(report.prompts)],
    ['repeated, left out', count(report.duplicates)],
    ['broken, left out', count(report.broken)],
    report.heldOut.prompts > 0
      ? [
          `distance² on ${count(report.heldOut.prompts)} held-out prompts`,
          `${gap >= 0 ? '+' : '−'}${percent(Math.abs(gap), 1)}`,
        ]
      : ['held out: too few prompts', '0'],
    ['agreement under resampling', percent(report.agreement)],
    ['model file', amount(report.fileBytes, 'bytes')],
    ['training time', `${seconds.toFixed(1)} s`],
    ['peak memory', `${Math.round(report.peakBytes / 1e6)} MB`],
  ]);
}

function mapSection({ map, clusters }: TrainingReport): Section {
  const largest = [...clusters].sort((a, b) => b.size - a.size).slice(0, LABELS_ON_MAP);
  const names = clusters.map((one) => one.name.split(' · ').slice(0, 2).join(' · '));
  const dots = map.map(({ x, y, cluster }) => ({ x, y, group: cluster }));
  return {
    heading: 'Map of the prompts',
    text: `${count(map.length)} of them; neighbours are similar (t-SNE). Colours are clusters; the largest are named.`,
    figures: [dotMap('Prompts by cluster', dots, names, new Set(largest.map((one) => one.cluster)))],
  };
}

function calibrationSection({ calibration, calibrationError }: TrainingReport): Section {
  const observed = calibration.map((bin) => ({
    x: bin.predicted,
    y: bin.observed,
    note: `predicted ${percent(bin.predicted)}, observed ${percent(bin.observed)} of ${count(bin.count)} prompts`,
  }));
  const ideal = [0, 1].map((share) => ({ x: share, y: share }));
  return {
    heading: 'Is the confidence calibrated?',
    text: `Held-out prompts that the curve was not fitted to: stated confidence against how often eight models fitted to resampled prompts agreed. On the dashed line, 0.8 is right eight times in ten. Mean gap ${percent(calibrationError, 1)}.`,
    figures: [
      lineChart({
        title: 'Agreement by stated confidence',
        x: { label: 'stated confidence' },
        y: { label: 'share of models that agreed' },
        series: [
          { name: 'observed', points: observed },
          { name: 'ideal', points: ideal, dashed: true },
        ],
      }),
    ],
  };
}

function curveSection({ curve, clusters }: TrainingReport): Section {
  const heading = 'How many clusters?';
  if (curve.length === 0)
    return {
      heading,
      text: `${clusters.length} were requested. With --clusters auto, this chart shows how crisp and how stable each number would be.`,
      figures: [],
    };
  const line = (name: string, value: (one: (typeof curve)[number]) => number): ChartSeries => ({
    name,
    points: curve.map((one) => ({
      x: one.clusters,
      y: value(one),
      note: `${one.clusters} clusters: ${name} ${value(one).toFixed(3)}`,
    })),
  });
  const labelled = curve.some((one) => one.labelled !== undefined);
  return {
    heading,
    text: `${labelled ? 'Labels found: how often is a prompt of the label that most of its cluster have? The smallest number that does as well as the best was taken. ' : ''}Stability: do two halves of the prompts give the same clusters? Silhouette: are they crisp? ${clusters.length} was chosen.`,
    figures: [
      lineChart({
        title: labelled ? 'Labels found, stability and silhouette' : 'Stability and silhouette',
        x: { label: 'clusters', scale: 'log', ticks: curve.map((one) => one.clusters) },
        y: { label: 'higher is better, at most 1' },
        series: [
          line('stability', (one) => one.stability),
          line('silhouette', (one) => one.silhouette),
          ...(labelled ? [line('labels found', (one) => one.labelled ?? 0)] : []),
        ],
      }),
    ],
  };
}

function clusterSection({ clusters }: TrainingReport): Section {
  const most = Math.max(...clusters.map((one) => one.size));
  const sorted = [...clusters].sort((a, b) => b.size - a.size);
  return {
    heading: 'The clusters',
    text: 'Sorted by size, with how reliably resampled trainings find each again. Open one to read its prompts.',
    figures: [sorted.map((one) => clusterEntry(one, most)).join('\n')],
  };
}

function clusterEntry(one: ReportCluster, most: number): string {
  const list = (title: string, prompts: readonly string[]): string =>
    prompts.length === 0 ? '' : `<h4>${title}</h4>${htmlList(prompts)}`;
  return `<details><summary><span class="spot" style="background:${groupColour(one.cluster)}"></span>
<span class="name">${one.cluster} ${escapeHtml(one.name)}</span><span class="more">${one.terms.slice(3, 9).map(escapeHtml).join(' ')}</span>
<span class="more">found again ${percent(one.reliability)}</span>${bar(one.size / most, count(one.size))}</summary>
${list('Nearest the centroid', one.near)}${list('At the edge', one.far)}</details>`;
}

function howSections(report: TrainingReport): readonly Section[] {
  const total = Math.max(
    1e-9,
    report.stages.reduce((sum, one) => sum + one.seconds, 0),
  );
  const stages = report.stages.map(
    ({ stage, seconds }) => [stage, `${seconds.toFixed(1)} s`, seconds / total] as const,
  );
  const rows = (of: Readonly<Record<string, string | number>>): string =>
    htmlTable(
      [],
      Object.entries(of).map(([name, value]) => [name, typeof value === 'number' ? exact(value) : value]),
    );
  const skipped: readonly Section[] =
    report.complaints.length === 0
      ? []
      : [{ heading: 'Examples of skipped records', figures: [htmlList(report.complaints)] }];
  return [
    {
      heading: 'How it was trained',
      figures: [
        `<h3>Time by stage</h3>${barTable(stages)}`,
        `<h3>Facts</h3>${rows({ ...report.facts, seed: report.seed })}`,
        `<h3>Prompts by source</h3>${rows(report.sources)}`,
      ],
    },
    ...skipped,
  ];
}

function exact(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}
