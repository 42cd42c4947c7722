/**
 * Samples a long text down to a fixed budget, deterministically: its start, its end and evenly spread pieces between,
 * so that classifying megabytes costs no more than kilobytes.
 */

import { LIMITS } from '../../core/bounds.ts';

/** Maximum UTF-16 units read of the turn being classified; longer texts are sampled. */
export const MAIN_BUDGET: number = LIMITS.turnUnits;
/** The same for system prompts and earlier turns, which only influence the decision. */
export const CONTEXT_BUDGET: number = LIMITS.contextUnits;

const PIECES_BETWEEN = 8;

/**
 * The text itself if it fits the budget; else a third of the budget from the start, a third from the end and the rest
 * in eight equal pieces spread evenly in between, joined by line breaks. O(budget) and idempotent.
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
