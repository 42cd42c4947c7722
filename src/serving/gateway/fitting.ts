/**
 * Which experts cannot answer a request: for want of room, because their model takes no such input, or because they do not
 * offer what it demands of the answer. Pure.
 */
import { LIMITS } from '../../core/bounds.ts';
import { describeError } from '../../core/errors.ts';
import type { Ask, Capability, Inputs, Modality, Part, Trait } from '../dialects/ask.ts';
import { unmetDemand } from '../experts/demands.ts';
import { estimatedTokens } from './try.ts';

/** An expert, and what is known of its model. */
export interface Asked {
  readonly id: string;
  readonly offers: Limits;
}

/** Null for nothing known. */
interface Limits {
  /** Tokens that prompt and answer may have together. */
  readonly context: number | null;
  readonly takes: readonly Modality[] | null;
  /** What its model is known not to do. */
  readonly lacks: readonly Trait[];
  /** Whether it takes requests of a dialect as they are. */
  speaks(dialect: string): boolean;
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
export function leftOut(ask: Ask, experts: Iterable<Asked>): readonly LeftOut[] {
  const others = mayHoldMore(ask) ? readableInputs(ask) : null;
  const prompt = estimatedTokens(others === null ? ask.body.length : others.bytes);
  const tokens = prompt + (ask.answerLimit ?? 0);
  const out: LeftOut[] = [];
  for (const { id, offers } of experts) {
    const { context, takes } = offers;
    const missing = takes && others?.modalities.find((one) => !takes.includes(one));
    if (missing) out.push({ expert: id, for: 'input', why: `it takes no ${missing}` });
    else if (context !== null && tokens > context)
      out.push({
        expert: id,
        for: 'room',
        why: `about ${tokens} tokens do not fit its context of ${context}`,
      });
    else {
      const why = unmetBy(offers, ask);
      if (why !== null) out.push({ expert: id, for: 'demand', why });
    }
  }
  return out;
}

/** Whether it may hold more than text. What tools showed is no part of any turn. */
function mayHoldMore({ turns, toolLoop, body }: Ask): boolean {
  if (turns.some(({ unreadParts }) => unreadParts > 0)) return true;
  return toolLoop !== 'none' && (body.includes('image') || body.includes('audio'));
}

/** Why an expert does not do what is asked; null where it does. */
function unmetBy(expert: Limits, ask: Ask): string | null {
  const { id } = ask.dialect;
  if (ask.partial && !expert.speaks(id)) return TOO_MANY_VALUES;
  const { lacks } = expert;
  const offered = expert.can(id);
  if (offered === null && lacks.length === 0) return null;
  try {
    const unmet = offered && unmetDemand(ask, offered);
    if (unmet) return `'${unmet.param}': ${unmet.why}`;
    const wish = lacks.length > 0 ? ask.wishes().find(({ needs }) => lacks.includes(needs)) : undefined;
    return wish ? `'${wish.param}': ${LACKS[wish.needs]}` : null;
  } catch (error) {
    // One that it could not read is for others, who may take its bytes as they are.
    return describeError(error);
  }
}

const TOO_MANY_VALUES = `it reads requests of at most ${LIMITS.loopTokens} brackets, commas and colons`;

const LACKS: Readonly<Record<Trait, string>> = {
  tools: 'its model calls no tools',
  structured_output: 'its model cannot be held to JSON',
  thinking: 'its model does not think',
};

/** What a request holds. @throws RouterError where it cannot be read */
export function inputsOf(ask: Ask): Inputs {
  const modalities = new Set<Modality>();
  let bytes = 0;
  const prompt = ask.prompt();
  const messages = prompt.kind === 'text' ? [] : prompt.messages;
  for (const part of messages.flatMap(({ parts }) => parts.flatMap(partsIn))) {
    if (part.type === 'text') bytes += Buffer.byteLength(part.text);
    else if (part.type === 'image') modalities.add('image');
    else if (part.type === 'other' && /audio/.test(part.name)) modalities.add('audio');
  }
  return { modalities: [...modalities], bytes };
}

function partsIn(part: Part): readonly Part[] {
  return part.type === 'tool result' ? part.parts : [part];
}

/** One that cannot be read is for the expert to judge. */
function readableInputs(ask: Ask): Inputs {
  if (ask.partial) return ask.inputs ?? NO_INPUTS;
  try {
    return inputsOf(ask);
  } catch {
    return NO_INPUTS;
  }
}

const NO_INPUTS: Inputs = { modalities: [], bytes: 0 };
