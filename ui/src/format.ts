/** Numbers and times in the reader's language, short enough for tables. */
import { language } from './words/index.ts';

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(language(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export const DASH = '–';
/** Between a number and its unit, where no line breaks. */
const SPACE = '\u00a0';

/** `0.4`, `12`, `1,234`, `12.3k`. */
export function count(value: number): string {
  if (value >= 100_000) return `${number(value / 1000, 0)}k`;
  return number(value, value >= 10 || Number.isInteger(value) ? 0 : value < 0.1 ? 2 : 1);
}

export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return DASH;
  const value = share * 100;
  return `${number(value, value >= 0.05 && value < 9.95 ? 1 : 0)}${SPACE}%`;
}

/** `12 ms`, `1.2 s`, `2 min 5 s`. */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return DASH;
  if (ms < 0.05) return `0${SPACE}ms`;
  if (ms < 999.5) return `${number(ms, ms < 9.95 ? 1 : 0)}${SPACE}ms`;
  if (ms < 99_950) return `${number(ms / 1000, ms < 9_995 ? 2 : 1)}${SPACE}s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)}${SPACE}min${rest === 0 ? '' : ` ${rest}${SPACE}s`}`;
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString(language(), {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
}

export function decimal(value: number, digits = 2): string {
  return number(value, digits);
}
