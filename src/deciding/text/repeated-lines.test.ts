import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RepeatedLines } from './repeated-lines.ts';

const RULES = 'Rules of the clinic.\n- Never give a dose.';
const wrapped = (question: string): string => `${RULES}\n${question}`;
const QUESTIONS = Array.from({ length: 12 }, (_, at) => `How do I bake bread number ${at} in my oven?`);

function taught(whose = 'me', questions = QUESTIONS): RepeatedLines {
  const lines = new RepeatedLines();
  for (const question of questions) expect(lines.read(wrapped(question), whose)).toBeNull();
  return lines;
}

describe('lines that stand in every message', () => {
  it('are told from what differs, after a dozen different messages', () => {
    const split = taught().read(wrapped('Is a spoken promise binding?'), 'me');
    expect(split).toEqual({ own: 'Is a spoken promise binding?', repeated: RULES });
  });

  it('say nothing of the messages of another caller', () => {
    expect(taught().read(wrapped('Is a spoken promise binding?'), 'you')).toBeNull();
  });

  it('are not those of one message that is sent again and again, nor all that there is', () => {
    const again = Array.from({ length: 50 }, () => QUESTIONS[0]!);
    expect(taught('me', again).read(wrapped('Is a spoken promise binding?'), 'me')).toBeNull();
    expect(taught().read(RULES, 'me')).toBeNull();
    expect(taught().read(wrapped('Why?'), 'me')).toBeNull();
  });

  it("are the person's where they ask for something", () => {
    const lines = new RepeatedLines();
    const asked = (text: string): string => `Translate into French:\nSent by the contract desk.\n${text}`;
    for (const question of QUESTIONS) lines.read(asked(question), 'me');
    expect(lines.read(asked('The tenant pays on the first.'), 'me')).toEqual({
      own: 'Translate into French:\nThe tenant pays on the first.',
      repeated: 'Sent by the contract desk.',
    });
  });

  it('lose and invent nothing, whatever the messages', () => {
    const line = fc.oneof(fc.constantFrom('- Never give a dose.', '', '  ', 'What is this?'), fc.string());
    const lines = new RepeatedLines();
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (parts) => {
        const message = parts.join('\n');
        const split = lines.read(message, 'me');
        if (split === null) return;
        const all = [...split.own.split('\n'), ...split.repeated.split('\n')].map((one) => one.trim());
        const said = message.split('\n').map((one) => one.trim());
        expect(all.filter(Boolean).toSorted()).toEqual(said.filter(Boolean).toSorted());
      }),
      { numRuns: 500 },
    );
  });
});
