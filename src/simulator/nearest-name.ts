/**
 * The nearest valid name, for error messages about a name nobody knows.
 * It knows nothing of what the names stand for.
 */

/** ` Did you mean "x"?` when one name is close, the list of all otherwise. Starts with a space. */
export function nearest(name: string, known: readonly string[]): string {
  let best = '';
  let distance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const d = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (d < distance) {
      best = candidate;
      distance = d;
    }
  }
  if (best && distance <= Math.max(2, name.length / 3)) return ` Did you mean "${best}"?`;
  return ` Known: ${known.join(', ')}.`;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
