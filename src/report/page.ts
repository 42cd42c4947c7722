/** A report as one self-contained HTML page. */
import { escapeHtml } from './escape.ts';
import { PAGE_STYLE, PICTURE_STYLE } from './style.ts';

export interface Section {
  readonly heading: string;
  /** Plain text above the figures. */
  readonly text?: string;
  /** SVG and HTML made by this folder's functions; shown side by side where there is room. */
  readonly figures: readonly string[];
}

export interface Page {
  readonly title: string;
  readonly subtitle: string;
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** A chart as a standalone SVG file, with style, size and background, for documents that embed pictures. */
export function standaloneSvg(svg: string): string {
  return svg.replace(
    /<svg class="(chart[^"]*)" viewBox="0 0 (\d+) (\d+)"([^>]*)>/,
    (_, name: string, width: string, height: string, rest: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" class="${name}" width="${width}" height="${height}" viewBox="-12 -12 ${Number(width) + 24} ${Number(height) + 24}"${rest}><style>${PICTURE_STYLE}</style><rect class="card" x="-12" y="-12" width="${Number(width) + 24}" height="${Number(height) + 24}"/>`,
  );
}

export function page({ title, subtitle, sections, footer }: Page): string {
  const body = sections.map(
    ({ heading, text, figures }) =>
      `<section><h2>${escapeHtml(heading)}</h2>${text ? `<p class="text">${escapeHtml(text)}</p>` : ''}<div class="figures">${figures
        .map((figure) => `<div class="figure${isWide(figure) ? ' wide' : ''}">${figure}</div>`)
        .join('\n')}</div></section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${PAGE_STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1><p class="subtitle">${escapeHtml(subtitle)}</p>
${body.join('\n')}
<footer>${escapeHtml(footer)}</footer></body></html>
`;
}

/** Charts, and figures with their own heading, are shown side by side. */
function isWide(figure: string): boolean {
  return !figure.startsWith('<svg') && !figure.startsWith('<h3');
}

/** A table whose first column is words and whose others are numbers. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

/** The page's key figures, large: name and value. */
export function tiles(items: readonly (readonly [name: string, value: string])[]): string {
  const tile = ([name, value]: readonly [string, string]): string =>
    `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`;
  return `<dl class="tiles">${items.map(tile).join('')}</dl>`;
}

/** A table of shares, each with a bar: name, value, and the part of the whole from 0 to 1. */
export function barTable(rows: readonly (readonly [name: string, value: string, share: number])[]): string {
  const row = ([name, value, share]: readonly [string, string, number]): string =>
    `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td><td style="width:40%">${bar(share)}</td></tr>`;
  return `<table><tbody>${rows.map(row).join('')}</tbody></table>`;
}

/** A bar for a share from 0 to 1, with a word or number beside it. */
export function bar(share: number, label = ''): string {
  return `<span class="bar"><i style="width:${(80 * share).toFixed(1)}%"></i>${escapeHtml(label)}</span>`;
}

export function htmlList(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}
