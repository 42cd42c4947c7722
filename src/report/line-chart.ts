/** A line chart as SVG: a few series over one axis, named at their ends, readable in light and dark. */
import { escapeHtml } from './escape.ts';
import { linearScale, logScale, type Scale, shortNumber } from './scale.ts';
import { COLOURS } from './style.ts';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Bounds of a band around the line: percentiles or a known error. */
  readonly low?: number;
  readonly high?: number;
  /** Shown when the pointer rests on it, in place of name and values. */
  readonly note?: string;
}

export interface ChartSeries {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly x: {
    readonly label: string;
    readonly scale?: 'linear' | 'log';
    readonly ticks?: readonly number[];
    /** A value to be kept, drawn across the plot and named. */
    readonly limit?: { readonly at: number; readonly name: string };
  };
  readonly y: { readonly label: string; readonly scale?: 'linear' | 'log' };
  readonly series: readonly ChartSeries[];
}

/** Narrow, so that its text stays readable at 360 pixels. */
const WIDTH = 480;
const PLOT = { left: 50, top: 58, bottom: 300, beside: 352, wide: 464 };
/** Below the plot: ticks and the name of the axis. */
const FOOT = 46;
/** Different dashes, so that a line shows through the gaps of one drawn over it. */
const DASHES = ['', '14 5', '9 5', '5 5', '2 5', '14 5 2 5', '9 5 2 5', '5 5 2 5'];
const LABEL_HEIGHT = 16;
/** Names up to this length stand beside the ends of their lines; if one is longer, all go below the plot. */
const LABEL_LETTERS = 15;

export function lineChart(chart: LineChart): string {
  const points = chart.series.flatMap((s) => s.points).filter((p) => Number.isFinite(p.y));
  const xs = [...points.map((p) => p.x), ...(chart.x.limit ? [chart.x.limit.at] : [])];
  const ys = points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]).filter(Number.isFinite);
  const beside = chart.series.every(({ name }) => name.length <= LABEL_LETTERS);
  const right = beside ? PLOT.beside : PLOT.wide;
  const scaled = (log: boolean, values: readonly number[], from: number, to: number): Scale =>
    log ? logScale(values, from, to) : linearScale(values, from, to);
  const x = scaled(chart.x.scale === 'log', xs, PLOT.left, right);
  const y = scaled(chart.y.scale === 'log', ys, PLOT.bottom, PLOT.top);
  const height = PLOT.bottom + FOOT + (beside ? 0 : chart.series.length * LABEL_HEIGHT + 4);
  return [
    `<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(chart.title)}">`,
    `<text class="title" x="4" y="18">${escapeHtml(chart.title)}</text>`,
    `<text class="unit" x="4" y="38">${escapeHtml(axisName(chart.y))}</text>`,
    axisY(y, right),
    axisX(x, chart, right),
    chart.x.limit ? limitAt(x, chart.x.limit) : '',
    ...chart.series.map((series, i) => drawSeries(series, i, x, y)),
    beside ? endLabels(chart.series, y, right) : legend(chart.series),
    '</svg>',
  ].join('\n');
}

/** A logarithmic axis is labelled as one, so that its steps are not taken for equal. */
function axisName({ label, scale }: LineChart['x'] | LineChart['y']): string {
  return scale === 'log' ? [label, 'logarithmic'].filter(Boolean).join(', ') : label;
}

function axisY(y: Scale, right: number): string {
  return y.ticks
    .map((tick) => {
      const at = y.at(tick).toFixed(1);
      return `<line class="grid" x1="${PLOT.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${PLOT.left - 8}" y="${at}" dy="0.32em" text-anchor="end">${shortNumber(tick)}</text>`;
    })
    .join('');
}

function axisX(x: Scale, chart: LineChart, right: number): string {
  const ticks = thinned(chart.x.ticks ?? x.ticks, x)
    .map((tick) => {
      const at = x.at(tick).toFixed(1);
      return `<line class="mark" x1="${at}" x2="${at}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 4}"/><text class="tick" x="${at}" y="${PLOT.bottom + 18}" text-anchor="middle">${shortNumber(tick)}</text>`;
    })
    .join('');
  const middle = (PLOT.left + right) / 2;
  return `<line class="axis" x1="${PLOT.left}" x2="${right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>${ticks}<text class="unit" x="${middle}" y="${PLOT.bottom + 38}" text-anchor="middle">${escapeHtml(axisName(chart.x))}</text>`;
}

function limitAt(x: Scale, { at, name }: { readonly at: number; readonly name: string }): string {
  const place = x.at(at).toFixed(1);
  return `<line class="axis" stroke-dasharray="3 3" x1="${place}" x2="${place}" y1="${PLOT.top}" y2="${PLOT.bottom}"/><text class="unit" x="${place}" y="${PLOT.top - 4}" text-anchor="middle">${escapeHtml(name)}</text>`;
}

/** Ticks far enough apart to be read. The last one always stays. */
function thinned(ticks: readonly number[], x: Scale): readonly number[] {
  const kept: number[] = [];
  for (const tick of ticks.toReversed())
    if (kept.length === 0 || Math.abs(x.at(kept.at(-1)!) - x.at(tick)) >= 38) kept.push(tick);
  return kept.toReversed();
}

function drawSeries({ name, points, dashed }: ChartSeries, index: number, x: Scale, y: Scale): string {
  const seen = points.filter((p) => Number.isFinite(p.y));
  const place = (px: number, py: number): string => `${x.at(px).toFixed(1)},${y.at(py).toFixed(1)}`;
  const colour = `s${index % COLOURS}`;
  const banded = seen.filter((p) => p.low !== undefined && p.high !== undefined);
  const band =
    banded.length > 1
      ? `<polygon class="band ${colour}" points="${[
          ...banded.map((p) => place(p.x, p.high!)),
          ...banded.toReversed().map((p) => place(p.x, p.low!)),
        ].join(' ')}"/>`
      : '';
  const dashes = dashed ? '6 4' : DASHES[index % COLOURS];
  const line = `<polyline class="line ${colour}"${dashes ? ` stroke-dasharray="${dashes}"` : ''} points="${seen.map((p) => place(p.x, p.y)).join(' ')}"/>`;
  // A dot per point would hide a line of many points.
  const dots =
    seen.length > 24
      ? ''
      : seen
          .map(
            (p) =>
              `<circle class="dot ${colour}" cx="${x.at(p.x).toFixed(1)}" cy="${y.at(p.y).toFixed(1)}" r="3"><title>${escapeHtml(p.note ?? `${name}: ${shortNumber(p.y)} at ${shortNumber(p.x)}`)}</title></circle>`,
          )
          .join('');
  return `<g>${band}${line}${dots}</g>`;
}

/** Names beside the ends of their lines, pushed apart where they would overlap. */
function endLabels(series: readonly ChartSeries[], y: Scale, right: number): string {
  const labels = series
    .map((s, i) => ({
      name: s.name,
      colour: `s${i % COLOURS}`,
      at: y.at(s.points.findLast((p) => Number.isFinite(p.y))?.y ?? 0),
    }))
    .sort((a, b) => a.at - b.at);
  for (let i = 1; i < labels.length; i++)
    labels[i]!.at = Math.max(labels[i]!.at, labels[i - 1]!.at + LABEL_HEIGHT);
  const overflow = Math.max(0, (labels.at(-1)?.at ?? 0) - PLOT.bottom);
  for (let i = labels.length - 1, limit = Infinity; i >= 0; i--) {
    labels[i]!.at = Math.min(labels[i]!.at, overflow > 0 ? Math.min(PLOT.bottom, limit) : limit);
    limit = labels[i]!.at - LABEL_HEIGHT;
  }
  return labels
    .map(
      ({ name, colour, at }) =>
        `<text class="label ${colour}" x="${right + 9}" y="${at.toFixed(1)}" dy="0.32em">${escapeHtml(name)}</text>`,
    )
    .join('');
}

/** Names in full, a row each, below the plot. */
function legend(series: readonly ChartSeries[]): string {
  return series
    .map(({ name, dashed }, i) => {
      const at = PLOT.bottom + FOOT + i * LABEL_HEIGHT + LABEL_HEIGHT / 2;
      const colour = `s${i % COLOURS}`;
      const dashes = dashed ? '6 4' : DASHES[i % COLOURS];
      return `<line class="line ${colour}"${dashes ? ` stroke-dasharray="${dashes}"` : ''} x1="4" x2="40" y1="${at}" y2="${at}"/><text class="label ${colour}" x="${PLOT.left}" y="${at}" dy="0.32em">${escapeHtml(name)}</text>`;
    })
    .join('');
}
