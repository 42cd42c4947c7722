/** Small charts as SVG text. */

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Shown when the pointer rests on it. */
  readonly label: string;
}

export interface Line {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  readonly colour: string;
}

const WIDTH = 460;
const HEIGHT = 240;
const LEFT = 44;
const BOTTOM = 34;
const TOP = 12;
const RIGHT = 14;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A colour for a cluster: golden-angle hues, so that neighbours in number differ. */
export function clusterColour(cluster: number): string {
  const lightness = [46, 58, 38][cluster % 3];
  return `hsl(${Math.round((cluster * 137.508) % 360)} 62% ${lightness}%)`;
}

export interface Axes {
  readonly x: string;
  readonly y: string;
  /** Both axes from 0 to 1, with the diagonal. */
  readonly unit?: boolean;
}

/** Lines over common axes. */
export function lineChart(lines: readonly Line[], axes: Axes): string {
  const all = lines.flatMap((line) => line.points);
  const [x0, x1] = axes.unit ? [0, 1] : extent(all.map((point) => point.x));
  const [y0, y1] = axes.unit ? [0, 1] : extent(all.map((point) => point.y));
  const px = (x: number): number => LEFT + ((x - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const py = (y: number): number => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - BOTTOM - TOP);
  const drawn = lines.map((line) => {
    const path = line.points.map(
      (point, index) => `${index ? 'L' : 'M'}${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)}`,
    );
    const dots = line.points.map(
      (point) =>
        `<circle cx="${px(point.x).toFixed(1)}" cy="${py(point.y).toFixed(1)}" r="3.5" fill="${line.colour}"><title>${escapeHtml(point.label)}</title></circle>`,
    );
    return `<path d="${path.join('')}" fill="none" stroke="${line.colour}" stroke-width="2"/>${dots.join('')}`;
  });
  const diagonal = axes.unit
    ? `<line x1="${px(0)}" y1="${py(0)}" x2="${px(1)}" y2="${py(1)}" class="guide"/>`
    : '';
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${frame(px, py, [x0, x1], [y0, y1], axes)}${diagonal}${drawn.join('')}</svg>`;
}

function extent(values: readonly number[]): readonly [number, number] {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? [least - 0.5, most + 0.5] : [least, most];
}

type Scale = (value: number) => number;

function frame(
  px: Scale,
  py: Scale,
  xs: readonly [number, number],
  ys: readonly [number, number],
  axes: Axes,
): string {
  const parts: string[] = [];
  for (let tick = 0; tick <= 4; tick += 1) {
    const x = xs[0] + ((xs[1] - xs[0]) * tick) / 4;
    const y = ys[0] + ((ys[1] - ys[0]) * tick) / 4;
    parts.push(
      `<text x="${px(x)}" y="${HEIGHT - BOTTOM + 14}" class="tick" text-anchor="middle">${short(x)}</text>`,
    );
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(y)}" y2="${py(y)}" class="grid"/>`);
    parts.push(`<text x="${LEFT - 6}" y="${py(y) + 3.5}" class="tick" text-anchor="end">${short(y)}</text>`);
  }
  parts.push(
    `<text x="${(WIDTH + LEFT) / 2}" y="${HEIGHT - 3}" class="axis" text-anchor="middle">${escapeHtml(axes.x)}</text>`,
  );
  return parts.join('');
}

function short(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(2)));
}

export interface MapDot {
  readonly x: number;
  readonly y: number;
  readonly cluster: number;
}

/** Dots in −1..1 coloured by cluster, with the names of the given clusters at the middle of their dots. */
export function dotMap(
  dots: readonly MapDot[],
  names: readonly string[],
  labelled: ReadonlySet<number>,
): string {
  const size = 720;
  const place = (value: number): number => Math.round(((value + 1.06) / 2.12) * size * 10) / 10;
  const circles = dots.map(
    ({ x, y, cluster }) =>
      `<circle cx="${place(x)}" cy="${place(y)}" r="4" fill="${clusterColour(cluster)}" data-cluster="${cluster}"><title>${cluster}: ${escapeHtml(names[cluster] ?? '')}</title></circle>`,
  );
  const texts = [...labelled].flatMap((cluster) => {
    const own = dots.filter((dot) => dot.cluster === cluster);
    if (own.length < 3) return [];
    const x = median(own.map((dot) => dot.x));
    const y = median(own.map((dot) => dot.y));
    return `<text x="${place(x)}" y="${place(y)}" class="place" text-anchor="middle" data-cluster="${cluster}">${escapeHtml((names[cluster] ?? '').split(' · ').slice(0, 2).join(' · '))}</text>`;
  });
  return `<svg viewBox="0 0 ${size} ${size}" class="map" role="img">${circles.join('')}${texts.join('')}</svg>`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
