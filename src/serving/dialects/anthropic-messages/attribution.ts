/**
 * The block in which Claude Code says what it is billed as. It changes with every request, so that no engine can reuse
 * a cached prefix behind it; only Anthropic reads it.
 */
import { isObject } from '../json.ts';

const MARK = 'x-anthropic-billing-header:';

/** The system prompt without the block: a text or a list of blocks as before, or undefined where nothing is left. */
export function withoutAttribution(system: unknown): unknown {
  if (typeof system === 'string') return withoutLine(system);
  if (!Array.isArray(system)) return system;
  const kept = system.filter((block: unknown) => !isAttribution(block));
  return kept.length === system.length ? system : kept.length > 0 ? kept : undefined;
}

function isAttribution(block: unknown): boolean {
  return isObject(block) && typeof block.text === 'string' && withoutLine(block.text) === undefined;
}

/** Undefined where nothing but the line was there. */
function withoutLine(text: string): string | undefined {
  if (!text.startsWith(MARK)) return text;
  const end = text.indexOf('\n');
  const rest = end < 0 ? '' : text.slice(end + 1);
  return rest.trim() === '' ? undefined : rest;
}
