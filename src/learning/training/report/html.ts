/** A training report as one HTML page without any outside part. */
import { escapeHtml } from '../../../report/escape.ts';
import { lineChart } from '../../../report/line-chart.ts';
import { standaloneSvg } from '../../../report/page.ts';
import { clusterColour, dotMap } from './charts.ts';
import type { ReportCluster, TrainingReport } from './data.ts';
import { REPORT_STYLE } from './style.ts';

const LABELS_ON_MAP = 28;

export function reportHtml(report: TrainingReport): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Router model ${report.model}</title><style>${REPORT_STYLE}</style></head><body><main>
<h1>What the router learned</h1>
<p class="lead">${lead(report)}</p>
${tiles(report)}
${mapSection(report)}
<section class="two">${calibrationSection(report)}${curveSection(report)}</section>
${clusterTable(report)}
${howSection(report)}
</main></body></html>
`;
}

function lead({ prompts, clusters, model, calibrationError, agreement }: TrainingReport): string {
  return `Model <code>${model}</code>: ${count(prompts)} prompts in ${clusters.length} clusters, found without labels.
A model trained on other prompts of the same kind would agree with ${percent(agreement)} of its decisions; its stated
confidence is off by ${percent(calibrationError, 1)} on average.`;
}

function tiles(report: TrainingReport): string {
  const seconds = report.stages.reduce((sum, one) => sum + one.seconds, 0);
  const gap = report.heldOut.training === 0 ? 0 : report.heldOut.heldOut / report.heldOut.training - 1;
  const items: readonly (readonly [string, string])[] = [
    ['prompts', count(report.prompts)],
    ['repeated, left out', count(report.duplicates)],
    ['broken, left out', count(report.broken)],
    [
      report.heldOut.prompts > 0
        ? `distance² on ${count(report.heldOut.prompts)} held-out prompts`
        : 'nothing held out',
      `${gap >= 0 ? '+' : '−'}${percent(Math.abs(gap), 1)}`,
    ],
    ['agreement under resampling', percent(report.agreement)],
    ['model file', `${(report.fileBytes / 1e6).toFixed(1)} MB`],
    ['training time', `${seconds.toFixed(1)} s`],
    ['peak memory', `${Math.round(report.peakBytes / 1e6)} MB`],
  ];
  return `<dl class="tiles">${items.map(([name, value]) => `<div><dd>${value}</dd><dt>${escapeHtml(name)}</dt></div>`).join('')}</dl>`;
}

function mapSection({ map, clusters }: TrainingReport): string {
  const largest = [...clusters].sort((a, b) => b.size - a.size).slice(0, LABELS_ON_MAP);
  const names = clusters.map((one) => one.name);
  return `<section><h2>The prompts, seen from above</h2>
<p>${count(map.length)} of them; neighbours say similar things (t-SNE). Colours are clusters, the largest carry their names.</p>
${dotMap(map, names, new Set(largest.map((one) => one.cluster)))}</section>`;
}

function calibrationSection({ calibration, calibrationError }: TrainingReport): string {
  const chart = lineChart({
    title: 'Stated confidence and agreement',
    x: { label: 'stated confidence' },
    y: { label: 'share of resampled models that agreed' },
    series: [
      { name: 'observed', points: calibration.map((bin) => ({ x: bin.predicted, y: bin.observed })) },
      {
        name: 'ideal',
        dashed: true,
        points: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
      },
    ],
  });
  return `<div><h2>Does confidence mean what it says?</h2>
<p>Held-out prompts the curve was not fitted to: stated confidence against how often eight models fitted to resampled
prompts agreed. On the diagonal 0.8 is right eight times in ten. Mean gap ${percent(calibrationError, 1)}.</p>
${standaloneSvg(chart)}</div>`;
}

function curveSection({ curve, clusters }: TrainingReport): string {
  if (curve.length === 0) {
    return `<div><h2>How many clusters?</h2><p>${clusters.length} were asked for. <code>--clusters auto</code> searches,
and shows here how crisp and how stable each number would be.</p></div>`;
  }
  const line = (name: string, value: (one: (typeof curve)[number]) => number) => ({
    name,
    points: curve.map((one) => ({ x: one.clusters, y: value(one) })),
  });
  const chart = lineChart({
    title: 'Quality by number of clusters',
    x: { label: 'clusters', scale: 'log', ticks: curve.map((one) => one.clusters) },
    y: { label: '1 is perfect' },
    series: [line('stability', (one) => one.stability), line('silhouette', (one) => one.silhouette)],
  });
  return `<div><h2>How many clusters?</h2>
<p><b>Stability</b>: do two halves of the prompts give the same clusters?
<b>Silhouette</b>: are they crisp? ${clusters.length} was chosen.</p>
${standaloneSvg(chart)}</div>`;
}

function clusterTable({ clusters }: TrainingReport): string {
  const most = Math.max(...clusters.map((one) => one.size));
  const sorted = [...clusters].sort((a, b) => b.size - a.size);
  return `<section><h2>The clusters</h2>
<p>Sorted by size. The bar under a name is how surely other trainings find the cluster again. Open one to read its prompts.</p>
${sorted.map((one) => clusterEntry(one, most)).join('\n')}</section>`;
}

function clusterEntry(one: ReportCluster, most: number): string {
  const colour = clusterColour(one.cluster);
  const list = (title: string, prompts: readonly string[]): string =>
    prompts.length === 0
      ? ''
      : `<h4>${title}</h4><ul>${prompts.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`;
  return `<details><summary><span class="dot" style="background:${colour}"></span><span class="number">${one.cluster}</span>
<span class="name">${escapeHtml(one.name)}<span class="bar" title="found again ${percent(one.reliability)}"><i style="width:${percent(one.reliability)};background:${colour}"></i></span></span>
<span class="terms">${one.terms.slice(3, 9).map(escapeHtml).join(' ')}</span>
<span class="size"><i style="width:${((100 * one.size) / most).toFixed(1)}%"></i><b>${count(one.size)}</b></span></summary>
${list('Nearest the centre', one.near)}${list('At the edge', one.far)}</details>`;
}

function howSection(report: TrainingReport): string {
  const total = report.stages.reduce((sum, one) => sum + one.seconds, 0);
  const stages = report.stages.map(
    (one) =>
      `<tr><td>${escapeHtml(one.stage)}</td><td class="n">${one.seconds.toFixed(1)} s</td><td class="w"><i style="width:${((100 * one.seconds) / Math.max(total, 1e-9)).toFixed(1)}%"></i></td></tr>`,
  );
  const row = ([name, value]: readonly [string, unknown]): string =>
    `<tr><td>${escapeHtml(name)}</td><td class="n">${escapeHtml(typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : String(value))}</td></tr>`;
  const skipped =
    report.complaints.length === 0
      ? ''
      : `<h3>Skipped, for instance</h3><ul>${report.complaints.map((one) => `<li>${escapeHtml(one)}</li>`).join('')}</ul>`;
  return `<section class="two"><div><h2>Where the time went</h2><table>${stages.join('')}</table>
<h2>Facts</h2><table>${Object.entries(report.facts).map(row).join('')}${row(['seed', report.seed])}</table></div>
<div><h2>Where the prompts came from</h2><table>${Object.entries(report.sources).map(row).join('')}</table>${skipped}</div></section>`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}
