/**
 * Tokens → text as they come, holding back characters whose bytes are spread over several tokens.
 */
import type { Model, Token } from './engine-api.ts';

/** A character is at most four bytes; bytes that still make none after as many tokens never will. */
const LONGEST = 4;
const MEMORY = 3;

export interface TokenText {
  push(token: Token): string;
  flush(): string;
}

export function tokenText(model: Pick<Model, 'detokenize'>, prompt: readonly Token[]): TokenText {
  let before = prompt.slice(-MEMORY);
  let pending: Token[] = [];
  const release = (text: string): string => {
    before = [...before, ...pending].slice(-MEMORY);
    pending = [];
    return text;
  };
  return {
    push(token) {
      pending.push(token);
      const text = model.detokenize(pending, false, before);
      return text.endsWith('\uFFFD') && pending.length < LONGEST ? '' : release(text);
    },
    flush() {
      return pending.length > 0 ? release(model.detokenize(pending, false, before)) : '';
    },
  };
}
