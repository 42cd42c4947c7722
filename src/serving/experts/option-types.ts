/** Types of options that several schemas share. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';
import type { DialectId } from '../dialects/index.ts';

/** Text such as `500ms`, `30s` or `5m`; milliseconds once parsed. */
export const duration = z
  .string()
  .regex(DURATION_PATTERN, 'a duration such as 500ms, 30s or 5m')
  .transform((text) => parseDuration(text)!)
  .meta({ title: 'duration' });

/** What a model may answer besides text, and the dialects it is asked in then: every server speaks the first. */
const UNTEXTUAL = {
  embeddings: ['openai-embeddings', 'ollama-embed', 'ollama-embeddings'],
  rerank: ['rerank'],
} as const satisfies Readonly<Record<string, readonly [DialectId, ...DialectId[]]>>;

const UNTEXTUAL_IDS: readonly DialectId[] = Object.values(UNTEXTUAL).flat();

export const capabilities = z
  .array(z.enum(['chat', 'completions', 'embeddings', 'rerank']))
  .min(1, 'at least one of them');

type Capabilities = readonly z.infer<typeof capabilities>[number][];

/** Whether such a model writes text; one that does not serves no cluster. */
export function writesText(list: Capabilities): boolean {
  return list.some((one) => !(one in UNTEXTUAL));
}

/**
 * The dialects that a server is asked in.
 * @param engine those that its engine speaks, whatever its model answers
 */
export function spokenFor(list: Capabilities, engine: readonly DialectId[]): readonly DialectId[] {
  const vectors = Object.entries(UNTEXTUAL).flatMap(([name, [first, ...others]]) =>
    list.includes(name as keyof typeof UNTEXTUAL)
      ? [first, ...others.filter((id) => engine.includes(id))]
      : [],
  );
  return writesText(list) ? [...engine.filter((id) => !UNTEXTUAL_IDS.includes(id)), ...vectors] : vectors;
}
