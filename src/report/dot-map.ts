/** Many points in the plane as SVG, coloured by group. */
import { escapeHtml } from './escape.ts';

export interface MapDot {
  /** From −1 to 1, as is `y`. */
  readonly x: number;
  readonly y: number;
  readonly group: number;
}

const SIZE = 720;

/** A colour for a group: golden-angle hues, so that neighbours in number differ. */
export function groupColour(group: number): string {
  const lightness = [46, 58, 38][group % 3];
  return `hsl(${Math.round((group * 137.508) % 360)} 62% ${lightness}%)`;
}

/** @param labelled groups whose names stand at the middle of their dots, where they have at least three */
export function dotMap(
  title: string,
  dots: readonly MapDot[],
  names: readonly string[],
  labelled: ReadonlySet<number>,
): string {
  const place = (value: number): number => Math.round(((value + 1.06) / 2.12) * SIZE * 10) / 10;
  const circles = dots.map(
    ({ x, y, group }) =>
      `<circle cx="${place(x)}" cy="${place(y)}" r="4" fill="${groupColour(group)}"><title>${group}: ${escapeHtml(names[group] ?? '')}</title></circle>`,
  );
  const labels = [...labelled].flatMap((group) => {
    const own = dots.filter((dot) => dot.group === group);
    if (own.length < 3) return [];
    const x = median(own.map((dot) => dot.x));
    const y = median(own.map((dot) => dot.y));
    return `<text x="${place(x)}" y="${place(y)}" class="place" text-anchor="middle">${escapeHtml(names[group] ?? '')}</text>`;
  });
  return `<svg class="chart map" viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="${escapeHtml(title)}">${circles.join('')}${labels.join('')}</svg>`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
