/** A line of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvLine(row: readonly string[]): string {
  const safe = (cell: string): string => (/^[=+@\t]|^-(?!$|[\d.])/.test(cell) ? `'${cell}` : cell);
  return row
    .map(safe)
    .map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}
