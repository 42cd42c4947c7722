/** What an emulated expert says, word by word, as a pure function of the prompt. It knows nothing of time. */
import type { FinishReason } from '../../core/openai.ts';
import { stopFilter } from '../stop.ts';

const QUOTED = 200;

export function emulatedText(expert: string, prompt: string): string {
  const characters = [...prompt];
  const quote = characters.length > QUOTED ? `${characters.slice(0, QUOTED).join('')}…` : prompt;
  return (
    `[emulated answer by expert ${expert}: no language model was asked. ` +
    `The prompt has ${characters.length} characters and reads: ${quote}]`
  );
}

/** Words with the white space that follows them; joined they are the text again. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*|\s+/gu) ?? [];
}

export interface Emulation {
  /** What is shown, already cut at the limit and before a stop sequence. */
  readonly pieces: readonly string[];
  readonly tokens: number;
  readonly finishReason: FinishReason;
}

export function emulate(text: string, maxTokens: number | undefined, stop: readonly string[]): Emulation {
  const all = words(text);
  const filter = stopFilter(stop);
  const pieces: string[] = [];
  let tokens = 0;
  for (const word of all.slice(0, maxTokens)) {
    tokens += 1;
    const shown = filter.push(word);
    if (shown.text) pieces.push(shown.text);
    if (shown.stopped) return { pieces, tokens, finishReason: 'stop' };
  }
  const held = filter.flush();
  if (held) pieces.push(held);
  return { pieces, tokens, finishReason: tokens < all.length ? 'length' : 'stop' };
}
