/** Numbers and times as the terminal shows them. */

export const DASH = '–';

/** `0.4`, `12`, `1,234`. */
export function count(value: number): string {
  const digits = value >= 10 || Number.isInteger(value) ? 0 : 1;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `0.3 ms`, `12 ms`, `1.20 s`, `2 min 5 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return DASH;
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param share 0 to 1 */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** @param at milliseconds since 1970 */
export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en', { hourCycle: 'h23' });
}
