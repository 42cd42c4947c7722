/** The end of a message about an unknown name: the nearest name, or the list of all. */
import { nearestName } from '../core/suggest.ts';

/** ` Did you mean "x"?` or ` Known: …`. Starts with a space. */
export function nearest(name: string, known: readonly string[]): string {
  const found = nearestName(name, known);
  return found ? ` Did you mean "${found}"?` : ` Known: ${known.join(', ')}.`;
}
