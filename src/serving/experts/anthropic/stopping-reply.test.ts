/** Stops that the server was not given. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Reply } from '../../reply/reply.ts';
import { StoppingReply } from './stopping-reply.ts';

function said(pieces: readonly string[], stops: readonly string[]) {
  const heard = { text: '', end: [] as unknown[], stopped: false };
  const reply: Reply = {
    begin: () => {},
    text: (piece) => {
      heard.text += piece;
      return true;
    },
    thinking: () => true,
    toolCall: () => true,
    toolArguments: () => true,
    finish: (...end) => void heard.end.push(end),
    fail: () => {},
  };
  const stopping = new StoppingReply(reply, stops);
  for (const piece of pieces) stopping.text(piece);
  stopping.finish('length', 'unknown');
  return { ...heard, stopped: stopping.stopped };
}

it('ends before the first of them, wherever pieces meet, and once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\n', ' ', 'b\n\nc')), (pieces) => {
      const full = pieces.join('');
      const at = full.indexOf('\n\n');
      const { text, end, stopped } = said(pieces, ['\n\n']);
      expect(text).toBe(at < 0 ? full : full.slice(0, at));
      expect(end).toEqual([at < 0 ? ['length', 'unknown'] : ['stop', 'unknown', '\n\n']]);
      expect(stopped).toBe(at >= 0);
    }),
  );
});
