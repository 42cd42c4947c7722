import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TURNS, plainText, routableTurns, textUsed } from './routable.ts';

const chat = (...messages: readonly object[]) => ({ messages });

describe('the routable text of a chat', () => {
  it('is the last user turn first, with earlier turns and the system prompt weighing less', () => {
    const turns = routableTurns(
      'chat',
      chat(
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'sort a list' },
        { role: 'assistant', content: 'sorted(x)' },
        { role: 'user', content: 'now in Rust' },
      ),
    );
    expect(turns).toHaveLength(2);
    expect(turns[1]!.segments.map((segment) => segment.text)).toEqual([
      'now in Rust',
      'sort a list',
      'be brief',
    ]);
    expect(turns[1]!.segments.map((segment) => segment.weight)).toEqual([1, 0.3, 0.2]);
  });

  it('is the same whether content is a string or a list of parts, and counts what it does not read', () => {
    const parts = [
      { type: 'text', text: 'what is' },
      { type: 'image_url', image_url: { url: 'data:' } },
      { type: 'text', text: 'this?' },
    ];
    const [listed] = routableTurns('chat', chat({ role: 'user', content: parts }));
    const [plain] = routableTurns('chat', chat({ role: 'user', content: 'what is\nthis?' }));
    expect(listed!.segments).toEqual(plain!.segments);
    expect(listed!.unreadParts).toBe(1);
  });

  it('keeps the first and the latest user turns of a long conversation', () => {
    const messages = Array.from({ length: 30 }, (_, index) => ({ role: 'user', content: `turn ${index}` }));
    const turns = routableTurns('chat', chat(...messages));
    expect(turns).toHaveLength(MAX_TURNS);
    expect(turns[0]!.segments[0]!.text).toBe('turn 0');
    expect(turns[1]!.segments[0]!.text).toBe('turn 23');
    expect(turns.at(-1)!.segments[0]!.text).toBe('turn 29');
  });

  it('never throws and never comes empty, whatever the content', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ role: fc.constantFrom('user', 'system', 'x'), content: fc.anything() })),
        (messages) => {
          const turns = routableTurns('chat', { messages });
          expect(turns.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('completion prompts', () => {
  it('are one entry, several prompts joined', () => {
    const turns = routableTurns('completions', { prompt: ['a', 'b'] });
    expect(turns).toEqual([{ ...plainText('a\nb'), said: 'a\nb' }]);
  });
});

describe('the text used', () => {
  it('is the text itself when short and a bounded sample of it when long', () => {
    expect(textUsed(plainText('hello'))).toBe('hello');
    const long = `${'a'.repeat(50_000)}MIDDLE${'b'.repeat(50_000)}`;
    const used = textUsed(plainText(long));
    expect(used.length).toBeLessThan(13_000);
    expect(used.startsWith('aaa') && used.endsWith('bbb')).toBe(true);
  });
});
