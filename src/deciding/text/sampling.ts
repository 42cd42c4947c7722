/**
 * Cuts a long text down to a fixed budget, always in the same places: its start, its end and evenly spread pieces
 * between, so that a decision on megabytes costs what one on kilobytes costs.
 */

import { LIMITS } from '../../core/bounds.ts';

/** UTF-16 units of the text a request is about that are read at most; longer texts are sampled. */
export const MAIN_BUDGET: number = LIMITS.turnUnits;
/** The same for system prompts and earlier turns, which only colour the decision. */
export const CONTEXT_BUDGET: number = LIMITS.contextUnits;

const PIECES_BETWEEN = 8;

/**
 * The text itself if it fits the budget; else a third of the budget from the start, a third from the end and the
 * rest in eight equal pieces spread evenly over what lies between, joined by line breaks. Costs O(budget), and
 * a sample is its own sample.
 */
export function sampleText(text: string, budget: number = MAIN_BUDGET): string {
  if (text.length <= budget + PIECES_BETWEEN + 1) return text;
  const edge = Math.floor(budget / 3);
  const piece = Math.floor((budget - 2 * edge) / PIECES_BETWEEN);
  const parts = [text.slice(0, edge)];
  const between = text.length - 2 * edge;
  for (let index = 0; index < PIECES_BETWEEN; index += 1) {
    const centre = edge + (between * (index + 0.5)) / PIECES_BETWEEN;
    const from = Math.max(edge, Math.floor(centre - piece / 2));
    parts.push(text.slice(from, from + piece));
  }
  parts.push(text.slice(text.length - edge));
  return parts.join('\n');
}
