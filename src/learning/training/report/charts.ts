/** The map of prompts as SVG text. */
import { escapeHtml } from '../../../report/escape.ts';

/** A colour for a cluster: golden-angle hues, so that neighbours in number differ. */
export function clusterColour(cluster: number): string {
  const lightness = [46, 58, 38][cluster % 3];
  return `hsl(${Math.round((cluster * 137.508) % 360)} 62% ${lightness}%)`;
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
