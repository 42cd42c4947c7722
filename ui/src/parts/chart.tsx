/** A chart over time: uPlot in the page's colours, with a legend above and a table behind it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { BoardEvent } from '../../../src/serving/board/wire.ts';
import { computed } from '../colours.ts';
import { clock } from '../format.ts';
import { words } from '../words/index.ts';

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly events: readonly BoardEvent[];
  /** The axis reaches at least this far. */
  readonly least: number;
  /** Whether the lines are parts of a whole: each is then an area on top of the next. */
  readonly stacked?: boolean;
}

const HEIGHT = 190;
const TABLE_ROWS = 10;
/** Seconds between two times on the axis: two or three stand there whatever the width. */
const TIME_STEPS = [5, 10, 30, 60, 120, 180, 300, 600];

export function Chart({ title, times, lines, format, events, least, stacked = false }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const marked = useRef(events);
  marked.current = events;
  const theme = useTheme();
  const shape = `${lines.map(({ name, colour }) => `${name} ${colour}`).join('|')} ${theme}`;

  useEffect(() => {
    const { current } = box;
    if (!current) return;
    const width = current.clientWidth;
    plot.current = new uPlot(
      options({ width, lines, format, least, stacked, events: marked }),
      data(times, lines, stacked),
      current,
    );
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: current.clientWidth, height: HEIGHT }),
    );
    observer.observe(current);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data(times, lines, stacked)));

  const shown = times
    .map((time, place) => ({ time, place }))
    .slice(-TABLE_ROWS)
    .reverse();
  return (
    <figure class="card chart">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {lines.map(({ name, colour }) => (
            <li key={name}>
              <i style={{ background: colour }} aria-hidden="true" />
              {name}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      <details>
        <summary>{words().table}</summary>
        <table>
          <caption class="hidden">{title}</caption>
          <thead>
            <tr>
              <th scope="col" class="left">
                {words().time}
              </th>
              {lines.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ time, place }) => (
              <tr key={time}>
                <td class="left">{clock(time * 1000)}</td>
                {lines.map(({ name, values }) => (
                  <td key={name}>{values[place] == null ? '–' : format(values[place])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** Of stacked lines, each with those after it added: drawn in this order, every one covers what is not its own. */
function data(times: readonly number[], lines: readonly Line[], stacked: boolean): uPlot.AlignedData {
  const values = lines.map((line) => line.values as (number | null)[]);
  if (stacked)
    for (let at = values.length - 2; at >= 0; at--)
      values[at] = values[at]!.map((value, place) => (value ?? 0) + (values[at + 1]![place] ?? 0));
  return [times as number[], ...values];
}

interface Look extends Pick<Required<ChartProps>, 'lines' | 'format' | 'least' | 'stacked'> {
  readonly width: number;
  readonly events: { readonly current: readonly BoardEvent[] };
}

function options({ width, lines, format, least, stacked, events }: Look): uPlot.Options {
  const soft = computed('var(--soft)');
  const grid = { stroke: computed('var(--line)'), width: 1 };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width,
    height: HEIGHT,
    // Half of the last time stands beyond the axis.
    padding: [null, 30, null, null],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, __, high) => [0, Math.max((high ?? 0) * 1.1, least)] } },
    axes: [
      {
        stroke: soft,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 28,
        space: 80,
        incrs: TIME_STEPS,
        values: (_, splits, __, ___, step) =>
          splits.map((split) => clock(split * 1000).slice(0, step < 60 ? 8 : 5)),
      },
      {
        stroke: soft,
        font,
        grid,
        ticks: { show: false },
        size: 62,
        space: 36,
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, colour }) => ({
        label: name,
        stroke: stacked ? computed('var(--card)') : computed(colour),
        width: stacked ? 1 : 1.75,
        ...(stacked ? { fill: computed(colour) } : {}),
        points: stacked ? { show: false } : { show: true, size: 5, fill: computed(colour), filter: alone },
        spanGaps: false,
      })),
    ],
    hooks: { draw: [(chart) => drawEvents(chart, events.current)] },
  };
}

/** Of a line, the places of values between gaps, which no line leads to. */
function alone(chart: uPlot, line: number): number[] {
  const values = chart.data[line]!;
  return [...values.keys()].filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
}

/** Height of a mark at the axis, in pixels. */
const MARK = 7;

/** A thin line where something happened; where conversations moved, which may be often, a mark at the axis. */
function drawEvents(chart: uPlot, events: readonly BoardEvent[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.setLineDash([4, 4]);
  ctx.lineWidth = devicePixelRatio;
  for (const { at, kind } of events) {
    const x = chart.valToPos(at / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = computed(kind === 'down' ? 'var(--bad)' : 'var(--soft)');
    ctx.beginPath();
    ctx.moveTo(x, kind === 'moved' ? bbox.top + bbox.height - MARK * devicePixelRatio : bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Changes with the colours of the page. */
function useTheme(): string {
  const [theme, setTheme] = useState(themeNow);
  useEffect(() => {
    const update = (): void => setTheme(themeNow());
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', update);
    const observer = new MutationObserver(update);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      system.removeEventListener('change', update);
      observer.disconnect();
    };
  }, []);
  return theme;
}

function themeNow(): string {
  return computed('var(--paper)');
}
