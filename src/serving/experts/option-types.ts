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

/** What a model may answer besides text, and the dialects it is asked in then. */
const UNTEXTUAL = { embeddings: 'openai-embeddings', rerank: 'rerank' } as const satisfies Readonly<
  Record<string, DialectId>
>;

export const capabilities = z
  .array(z.enum(['chat', 'completions', 'embeddings', 'rerank']))
  .min(1, 'at least one of them');

type Capabilities = readonly z.infer<typeof capabilities>[number][];

/** Whether such a model writes text; one that does not serves no cluster. */
export function writesText(list: Capabilities): boolean {
  return list.some((one) => !(one in UNTEXTUAL));
}

/** The dialects that such a model is asked in for what is no text. */
export function untextual(list: Capabilities): readonly DialectId[] {
  return Object.entries(UNTEXTUAL).flatMap(([name, id]) =>
    list.includes(name as keyof typeof UNTEXTUAL) ? [id] : [],
  );
}
