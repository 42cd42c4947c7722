/** The end of a message about an unknown name: the nearest name, or the list of all. */
import { nearestName } from '../core/suggest.ts';

/** ` Did you mean "x"?`, with all that begin with the name, or ` Known: …`. Starts with a space. */
export function nearest(name: string, known: readonly string[]): string {
  const longer = name.length < SHORT ? [] : known.filter((one) => one.startsWith(name));
  const close = nearestName(name, known);
  const found = longer.length > 0 || !close ? longer : [close];
  if (found.length === 0) return ` Known: ${known.join(', ')}.`;
  return ` Did you mean ${found.map((one) => `"${one}"`).join(' or ')}?`;
}

/** Beginnings shorter than this say nothing. */
const SHORT = 3;
