/**
 * One line of progress on a terminal: bar, share, rate, time left. Where output is not a terminal it prints a plain
 * line every few seconds, so that logs stay readable.
 */

export type Unit = 'bytes' | 'items' | 'seconds';

export interface Progress {
  /** `done` counts from zero in the unit given; `total` may become known, or be corrected, later. */
  update(done: number, total?: number, note?: string): void;
  /** Ends the line; the note replaces the rate. */
  finish(note?: string): void;
}

const REDRAW_MS = 100;
const LOG_EVERY_MS = 5_000;
const BAR_WIDTH = 24;

export function progressBar(label: string, unit: Unit, out: NodeJS.WriteStream = process.stderr): Progress {
  const started = performance.now();
  let drawn = Number.NEGATIVE_INFINITY;
  let done = 0;
  let total: number | undefined;

  const draw = (note: string | undefined): void => {
    const elapsed = Math.max((performance.now() - started) / 1000, 1e-3);
    const rate = done / elapsed;
    const share = total ? Math.min(done / total, 1) : undefined;
    const pieces = [
      label,
      share === undefined ? '' : `${bar(share)} ${Math.floor(share * 100)}%`,
      amount(done, unit) + (total ? ` of ${amount(total, unit)}` : ''),
      note ?? `${amount(rate, unit)}/s`,
      share !== undefined && share > 0 && share < 1
        ? `${duration((elapsed * (1 - share)) / share)} left`
        : '',
    ];
    const line = pieces.filter(Boolean).join('  ');
    out.write(out.isTTY ? `\r\x1b[2K${line.slice(0, Math.max(out.columns ?? 80, 40) - 1)}` : `${line}\n`);
    drawn = performance.now();
  };

  return {
    update(nowDone, nowTotal, note) {
      done = nowDone;
      total = nowTotal ?? total;
      if (performance.now() - drawn >= (out.isTTY ? REDRAW_MS : LOG_EVERY_MS)) draw(note);
    },
    finish(note) {
      draw(note ?? `in ${duration((performance.now() - started) / 1000)}`);
      if (out.isTTY) out.write('\n');
    },
  };
}

function bar(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
}

/** `1536` bytes → `1.5 kB`, decimal as disks and networks count; items get thousands separators. */
export function amount(value: number, unit: Unit): string {
  if (unit === 'seconds') return `${Math.round(value)} s`;
  if (unit === 'items') return Math.round(value).toLocaleString('en-US');
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let index = 0;
  while (scaled >= 1000 && index < units.length - 1) {
    scaled /= 1000;
    index += 1;
  }
  return `${scaled < 10 && index > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[index]}`;
}

/** Seconds as a person says them: `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
