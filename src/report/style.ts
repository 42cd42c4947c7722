/** How every report and picture looks: one palette, light and dark, and one style sheet. */

/** Okabe and Ito's colours (2008), darkened for a light background; they stay distinct under colour blindness. */
const LIGHT = `--paper:#fff; --ink:#1c2430; --soft:#5b6675; --grid:#e3e7ec; --card:#f7f8fa;
  --s0:#0072b2; --s1:#d55e00; --s2:#009e73; --s3:#b0559a; --s4:#b07d00; --s5:#3d9bd1; --s6:#222; --s7:#8a6d3b;`;
const DARK = `--paper:#14181e; --ink:#e8ecf1; --soft:#9aa5b3; --grid:#2b323b; --card:#1b2027;
  --s0:#4fb0e8; --s1:#ff8b4a; --s2:#3fd0a4; --s3:#e08fca; --s4:#e6b422; --s5:#8fd0f5; --s6:#ddd; --s7:#c9a96a;`;

/** Series have the colours `s0` to `s7`. */
export const COLOURS = 8;

const CHARTS = `.chart { display: block; width: 100%; height: auto; max-width: 720px; font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
.chart .title { font-size: 16px; font-weight: 600; fill: var(--ink); }
.chart .unit, .chart .tick { fill: var(--soft); }
.chart .grid { stroke: var(--grid); } .chart .axis, .chart .mark { stroke: var(--soft); }
.chart .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.chart .band { opacity: 0.14; stroke: none; }
.chart .label { font-size: 13px; font-weight: 600; }
.chart .dot { stroke: var(--card); stroke-width: 1.5; }
.chart.map { max-width: 860px; margin: 0 auto; } .chart.map circle { fill-opacity: 0.72; }
.chart .place { font-size: 11.5px; font-weight: 600; fill: var(--ink); paint-order: stroke; stroke: var(--card);
  stroke-width: 3.5px; stroke-linejoin: round; pointer-events: none; }
${Array.from({ length: COLOURS }, (_, i) => `.line.s${i}{stroke:var(--s${i})} .dot.s${i},.band.s${i},.label.s${i}{fill:var(--s${i})}`).join('\n')}`;

const TILES = `.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 14px; margin: 0; padding: 8px 0; }
.tiles div { display: flex; flex-direction: column; } .tiles dt { order: 1; color: var(--soft); font-size: 13px; line-height: 1.3; }
.tiles dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }`;

const FOLDED = `details { border-top: 1px solid var(--grid); } details:first-child { border-top: none; }
summary { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; padding: 7px 0; cursor: pointer; }
summary .name { font-weight: 600; flex: 1 1 220px; } summary .more { color: var(--soft); font-size: 13px; flex: 1 1 220px; }
summary .spot { width: 11px; height: 11px; border-radius: 50%; align-self: center; }
summary .bar { flex: 0 1 150px; }
details h4 { font-size: 14px; margin: 10px 0 4px; } details ul { margin: 0 0 10px; padding-left: 26px; }
li { margin: 2px 0; overflow-wrap: anywhere; }
.bar { display: flex; gap: 6px; align-items: center; font-size: 13px; font-variant-numeric: tabular-nums; }
.bar i { display: block; height: 9px; border-radius: 2px; background: var(--s0); opacity: 0.5; }`;

export const PAGE_STYLE = `:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1360px; padding: 40px 28px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, "Segoe UI", "Helvetica Neue", "Noto Sans", "Noto Sans CJK JP", "DejaVu Sans", sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
.subtitle { color: var(--soft); margin: 0 0 28px; max-width: 90ch; }
h2 { font-size: 19px; margin: 40px 0 6px; } h3 { font-size: 15px; margin: 4px 0; }
.text { color: var(--soft); margin: 0 0 14px; max-width: 90ch; white-space: pre-line; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 18px; }
.figure { background: var(--card); border-radius: 10px; padding: 16px 16px 8px; overflow-x: auto; }
.figure.wide { grid-column: 1 / -1; }
${CHARTS}
${TILES}
${FOLDED}
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; } td:first-child { white-space: normal; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: none; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; max-width: 90ch; white-space: pre-line; }
@media (max-width: 600px) { body { padding: 20px 12px 40px; } .figure { padding: 12px 10px 6px; } }`;

/**
 * For a standalone SVG file. Colours are written out, since many SVG viewers do not support variables and would draw
 * black on black.
 */
export const PICTURE_STYLE = `${spelledOut(LIGHT)} @media (prefers-color-scheme: dark) { ${spelledOut(DARK)} }`;

function spelledOut(colours: string): string {
  const values = new Map([...colours.matchAll(/--(\w+):(#\w+)/g)].map(([, name, value]) => [name, value]));
  return `${CHARTS}\n.chart .card { fill: var(--card); }`.replace(
    /var\(--(\w+)\)/g,
    (_, name) => values.get(name)!,
  );
}
