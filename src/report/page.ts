/**
 * A report as one HTML page that needs nothing else: style, pictures and tables within.
 * It knows sections, and nothing of what they report.
 */
import { escapeHtml } from './escape.ts';

export interface Section {
  readonly heading: string;
  /** Plain text above the pictures. */
  readonly text?: string;
  /** SVG and HTML made by this folder's functions; stands side by side where there is room. */
  readonly figures: readonly string[];
}

export interface Page {
  readonly title: string;
  readonly subtitle: string;
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** Okabe and Ito's colours (2008), darkened for light paper, told apart by people who see fewer. */
const LIGHT = `--paper:#fff; --ink:#1c2430; --soft:#5b6675; --grid:#e3e7ec; --card:#f7f8fa;
  --s0:#0072b2; --s1:#d55e00; --s2:#009e73; --s3:#b0559a; --s4:#b07d00; --s5:#3d9bd1; --s6:#222; --s7:#8a6d3b;`;
const DARK = `--paper:#14181e; --ink:#e8ecf1; --soft:#9aa5b3; --grid:#2b323b; --card:#1b2027;
  --s0:#4fb0e8; --s1:#ff8b4a; --s2:#3fd0a4; --s3:#e08fca; --s4:#e6b422; --s5:#8fd0f5; --s6:#ddd; --s7:#c9a96a;`;

const CHART_STYLE = `.chart { display: block; width: 100%; height: auto; max-width: 720px; font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
.chart .title { font-size: 16px; font-weight: 600; fill: var(--ink); }
.chart .unit, .chart .tick { fill: var(--soft); }
.chart .grid { stroke: var(--grid); } .chart .axis, .chart .mark { stroke: var(--soft); }
.chart .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.chart .band { opacity: 0.14; stroke: none; }
.chart .label { font-size: 13px; font-weight: 600; }
.chart .dot { stroke: var(--card); stroke-width: 1.5; }
${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `.line.s${i}{stroke:var(--s${i})} .dot.s${i},.band.s${i},.label.s${i}{fill:var(--s${i})}`).join('\n')}`;

const STYLE = `:root { ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1360px; padding: 40px 28px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
.subtitle { color: var(--soft); margin: 0 0 28px; max-width: 90ch; }
h2 { font-size: 19px; margin: 40px 0 6px; }
.text { color: var(--soft); margin: 0 0 14px; max-width: 90ch; white-space: pre-line; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 18px; }
.figure { background: var(--card); border-radius: 10px; padding: 16px 16px 8px; overflow-x: auto; }
.figure.wide { grid-column: 1 / -1; }
${CHART_STYLE}
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); } th:first-child, td:first-child { text-align: left; }
tr:last-child td { border-bottom: none; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; max-width: 90ch; white-space: pre-line; }`;

/**
 * A chart as a file of its own, for documents that show pictures: style, size and background within. Colours are
 * written out, since many a viewer of SVG knows no variables and would draw black on black.
 */
export function standaloneSvg(svg: string): string {
  const style = `<style>${spelledOut(LIGHT)} @media (prefers-color-scheme: dark) { ${spelledOut(DARK)} }</style>`;
  return svg.replace(
    /<svg class="chart" viewBox="0 0 (\d+) (\d+)"([^>]*)>/,
    (_, width: string, height: string, rest: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="${width}" height="${height}" viewBox="-12 -12 ${Number(width) + 24} ${Number(height) + 24}"${rest}>${style}<rect class="card" x="-12" y="-12" width="${Number(width) + 24}" height="${Number(height) + 24}"/>`,
  );
}

function spelledOut(colours: string): string {
  const values = new Map([...colours.matchAll(/--(\w+):(#\w+)/g)].map(([, name, value]) => [name, value]));
  return `${CHART_STYLE}\n.chart .card { fill: var(--card); }`.replace(
    /var\(--(\w+)\)/g,
    (_, name) => values.get(name)!,
  );
}

export function page({ title, subtitle, sections, footer }: Page): string {
  const body = sections.map(
    ({ heading, text, figures }) =>
      `<section><h2>${escapeHtml(heading)}</h2>${text ? `<p class="text">${escapeHtml(text)}</p>` : ''}<div class="figures">${figures
        .map((figure) => `<div class="figure${figure.startsWith('<table') ? ' wide' : ''}">${figure}</div>`)
        .join('\n')}</div></section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1><p class="subtitle">${escapeHtml(subtitle)}</p>
${body.join('\n')}
<footer>${escapeHtml(footer)}</footer></body></html>
`;
}

/** A table whose first column is words and whose others are numbers. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}
