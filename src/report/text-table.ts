/** A table as text for a terminal. */

/** Columns padded to their widest cell; numbers to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const cell = (text: string, i: number): string =>
    /^[\d$≤<–-]/.test(text) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}
