/**
 * Which experts cannot answer a request: for want of room, because their model takes no such input, or because they do not
 * offer what it demands of the answer. Pure.
 */
import { describeError } from '../../core/errors.ts';
import type { Ask, Capability } from '../dialects/ask.ts';
import { unmetDemand } from '../experts/demands.ts';
import { estimatedTokens } from './try.ts';

export type Modality = 'text' | 'image' | 'audio';

/** What is known of an expert's model; null for nothing. */
export interface Limits {
  readonly id: string;
  /** Tokens that prompt and answer may have together. */
  readonly context: number | null;
  readonly takes: readonly Modality[] | null;
  /** What may be demanded of its answers in a dialect; null for anything. */
  can(dialect: string): readonly Capability[] | null;
}

export interface LeftOut {
  readonly expert: string;
  /**
   * `room`: another may be tried where nobody has enough of it, since tokens are an estimate. `demand`: where nobody meets
   * it, the one that suits best says what it lacks.
   */
  readonly for: 'room' | 'demand' | 'input';
  readonly why: string;
}

/** Cheap where nothing is in the way. */
export function leftOut(ask: Ask, experts: Iterable<Limits>): readonly LeftOut[] {
  const others = ask.turns.some(({ unreadParts }) => unreadParts > 0) ? modalitiesOf(ask) : null;
  const prompt = others === null ? estimatedTokens(ask.body.length) : others.tokens;
  const tokens = prompt + (ask.answerLimit ?? 0);
  const out: LeftOut[] = [];
  for (const one of experts) {
    const { id, context, takes } = one;
    const missing = takes && others?.modalities.find((one) => !takes.includes(one));
    if (missing) out.push({ expert: id, for: 'input', why: `it takes no ${missing}` });
    else if (context !== null && tokens > context)
      out.push({
        expert: id,
        for: 'room',
        why: `about ${tokens} tokens do not fit its context of ${context}`,
      });
    else {
      const can = ask.partial ? null : one.can(ask.dialect.id);
      const why = can && unmetIn(ask, can);
      if (why) out.push({ expert: id, for: 'demand', why });
    }
  }
  return out;
}

/** A request that such an expert could not read is for others, who may take its bytes as they are. */
function unmetIn(ask: Ask, can: readonly Capability[]): string | null {
  try {
    const unmet = unmetDemand(ask, can);
    return unmet && `'${unmet.param}': ${unmet.why}`;
  } catch (error) {
    return describeError(error);
  }
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
