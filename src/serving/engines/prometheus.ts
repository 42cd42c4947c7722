/**
 * Reads a page in Prometheus' text format (its exposition format 0.0.4, and what OpenMetrics 1.0 and Prometheus 3
 * add to a line: exemplars, quoted names).
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN or infinite, as the page said. */
  readonly value: number;
}

export interface MetricsPage {
  readonly samples: readonly Sample[];
  /** Lines that hold a sample, asked for or not. */
  readonly lines: number;
  /** Lines that are neither a sample nor a comment: a page of another format has many and no samples. */
  readonly unreadable: number;
}

/** Longer lines are counted as invalid: no engine writes them. */
const MAX_LINE = 16_384;

const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const BRACES = String.raw`\{((?:[^"}]|${QUOTED})*)\}[ \t]*`;
/** Name, labels, value; then a timestamp and an exemplar, which are passed over. */
const LINE = new RegExp(
  String.raw`^(?:(${NAME})(?:[ \t]*${BRACES}|[ \t]+)|${BRACES})([^\s#]+)(?:[ \t]+[-+0-9.eE]+)?[ \t]*(?:#.*)?$`,
);
/** One label; without `="…"` a quoted name of the metric itself. */
const LABEL = new RegExp(
  String.raw`[ \t]*(?:(${NAME}|${QUOTED})[ \t]*=[ \t]*(${QUOTED})|(${QUOTED}))[ \t]*(?:,|$)`,
  'y',
);
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i;

/**
 * Every sample of a page, or of the given metrics. Invalid lines are counted and skipped.
 */
export function parseMetrics(text: string, names?: ReadonlySet<string>): MetricsPage {
  const samples: Sample[] = [];
  let lines = 0;
  let unreadable = 0;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const sample = line.length <= MAX_LINE ? readSample(line, names) : null;
    if (sample === null) unreadable += 1;
    else lines += 1;
    if (sample && sample !== UNASKED) samples.push(sample);
  }
  return { samples, lines, unreadable };
}

/** A sample of a metric that was not requested. */
const UNASKED: Sample = { name: '', labels: {}, value: Number.NaN };

function readSample(line: string, names: ReadonlySet<string> | undefined): Sample | null {
  const match = LINE.exec(line);
  if (!match) return null;
  const [, before, braces, bracesAlone, number] = match;
  const value = readNumber(number!);
  if (value === null) return null;
  if (names && before !== undefined && !names.has(before)) return UNASKED;
  const inside = readLabels(braces ?? bracesAlone ?? '');
  const name = before ?? inside?.name;
  if (!inside || name === undefined || (before !== undefined && inside.name !== undefined)) return null;
  return names && !names.has(name) ? UNASKED : { name, labels: inside.labels, value };
}

function readLabels(text: string): { labels: Record<string, string>; name: string | undefined } | null {
  const labels: Record<string, string> = {};
  let name: string | undefined;
  LABEL.lastIndex = 0;
  while (text.slice(LABEL.lastIndex).trim() !== '') {
    const match = LABEL.exec(text);
    if (!match) return null;
    const [, label, value, quotedName] = match;
    if (quotedName !== undefined) name = unquoted(quotedName);
    else Object.defineProperty(labels, label!.startsWith('"') ? unquoted(label!) : label!, entry(value!));
  }
  return { labels, name };
}

/** Defined, not assigned: a label may be called `__proto__`. */
function entry(quoted: string): PropertyDescriptor {
  return { value: unquoted(quoted), enumerable: true, configurable: true, writable: true };
}

/** The text between quotes, with its three escapes undone: `\\`, `\"` and `\n`. */
function unquoted(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(.)/gs, (whole, escaped: string) =>
      escaped === 'n' ? '\n' : escaped === '"' || escaped === '\\' ? escaped : whole,
    );
}

function readNumber(text: string): number | null {
  if (NUMBER.test(text)) return Number(text);
  const word = /^([-+]?)(inf|infinity|nan)$/i.exec(text);
  if (!word) return null;
  if (word[2]!.toLowerCase() === 'nan') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
