/** Which experts cannot answer a request, for want of room or because their model takes no such input. Pure. */
import type { Ask } from '../dialects/ask.ts';
import { estimatedTokens } from './try.ts';

export type Modality = 'text' | 'image' | 'audio';

/** What is known of an expert's model; null for nothing. */
export interface Limits {
  readonly id: string;
  /** Tokens that prompt and answer may have together. */
  readonly context: number | null;
  readonly takes: readonly Modality[] | null;
}

export interface LeftOut {
  readonly expert: string;
  /** `room`: another may be tried where nobody has enough of it, since tokens are an estimate. */
  readonly for: 'room' | 'input';
  readonly why: string;
}

/** Cheap where nothing is in the way. */
export function leftOut(ask: Ask, experts: Iterable<Limits>): readonly LeftOut[] {
  const others = ask.turns.some(({ unreadParts }) => unreadParts > 0) ? modalitiesOf(ask) : null;
  const prompt = others === null ? estimatedTokens(ask.body.length) : others.tokens;
  const tokens = prompt + (ask.answerLimit ?? 0);
  const out: LeftOut[] = [];
  for (const { id, context, takes } of experts) {
    const missing = takes && others?.modalities.find((one) => !takes.includes(one));
    if (missing) out.push({ expert: id, for: 'input', why: `it takes no ${missing}` });
    else if (context !== null && tokens > context)
      out.push({
        expert: id,
        for: 'room',
        why: `about ${tokens} tokens do not fit its context of ${context}`,
      });
  }
  return out;
}

/** What a request holds besides text, and the tokens of its text alone. One that cannot be read is for the expert to judge. */
function modalitiesOf(ask: Ask): { readonly modalities: readonly Modality[]; readonly tokens: number } {
  const modalities = new Set<Modality>();
  let bytes = 0;
  try {
    const prompt = ask.prompt();
    const messages = prompt.kind === 'text' ? [] : prompt.messages;
    for (const part of messages.flatMap(({ parts }) => parts)) {
      if (part.type === 'text') bytes += Buffer.byteLength(part.text);
      else if (part.type === 'image') modalities.add('image');
      else if (part.type === 'other' && /audio/.test(part.name)) modalities.add('audio');
    }
  } catch {
    return { modalities: [], tokens: 0 };
  }
  return { modalities: [...modalities], tokens: estimatedTokens(bytes) };
}
