import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFileTurn, isProgramPrompt, personsWords } from './persons-words.ts';

const QUESTION = 'How long do I boil potatoes?';

describe("the person's words", () => {
  it.each([
    ['a reminder before', `<system-reminder>\nRun the linter.\n</system-reminder>\n${QUESTION}`],
    ['an environment block', `<environment_context>\n<cwd>/src</cwd>\n</environment_context>\n\n${QUESTION}`],
    [
      'a task tag',
      `<task>\n${QUESTION}\n</task>\n<environment_details>\n# Files\na.ts\n</environment_details>`,
    ],
    [
      'a retrieval template',
      `Use the context.\n\nRevenue fell by 4 percent.\n\nQuestion: ${QUESTION}\nHelpful Answer:`,
    ],
    ['a query template', `Context information is below.\n---\nMinutes.\n---\nQuery: ${QUESTION}\nAnswer: `],
    [
      'a title request',
      `### Task:\nGenerate a title.\n<chat_history>\nUSER: ${QUESTION}\nASSISTANT: Ten minutes.\n</chat_history>`,
    ],
    ['tool results', `[Tool result: list_files]\nREADME.md\npackage.json\n\n${QUESTION}`],
    ['a fenced log', `${QUESTION}\n\`\`\`\n2026-03-14 09:58:01 INFO started\n\`\`\``],
    ['a quotation', `> The festival begins on Friday.\n> Tickets at the town hall.\n${QUESTION}`],
    ['courtesies', `Hi there! I hope you are well. ${QUESTION} Please take your time. Thanks in advance`],
    ['a lead-in', `I was wondering whether you could help me with the following: ${QUESTION}`],
    ['a label', `Message: ${QUESTION}`],
    ['a rubric', `You are graded on brevity. Answers above 200 words lose points.\n\n${QUESTION}`],
    ['criteria', `${QUESTION}\n\nYour response will be rated by a panel. Never refer to these criteria.`],
    ['the form of the answer', `${QUESTION}\n\nReturn a JSON object with the key "answer".`],
  ])('are found beside %s', (_, turn) => {
    expect(personsWords(turn).asked).toBe(QUESTION);
  });

  it('are the sentences that ask, wherever they stand in a long text', () => {
    const passage = 'The committee met on Tuesday and approved the minutes of the last meeting. '.repeat(8);
    const { asked, quoted } = personsWords(`${passage}${QUESTION} ${passage}`);
    expect(asked).toBe(QUESTION);
    expect(quoted).toContain('committee');
  });

  it('are the whole turn where nothing tells its parts apart', () => {
    for (const turn of [
      'def f(x): return x',
      '',
      '```\ncode\n```',
      'yes',
      'A long story. '.repeat(60).trim(),
    ]) {
      expect(personsWords(turn).asked).toBe(turn);
    }
  });

  it('lose nothing that was asked and take bounded time, for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000, unit: 'grapheme' }), (turn) => {
        const { asked } = personsWords(turn);
        expect(asked === '').toBe(turn === '');
      }),
    );
    expect(personsWords('``` <task> > a\n'.repeat(100_000)).asked).not.toBe('');
  });
});

describe('what programs say', () => {
  it('is recognised by its form', () => {
    expect(isProgramPrompt('You are Cline, a highly skilled software engineer')).toBe(true);
    expect(isProgramPrompt('You are a chef.')).toBe(false);
    expect(isFileTurn('I have *added these files to the chat* so you can edit them.')).toBe(true);
    expect(isFileTurn('I have a question')).toBe(false);
  });
});
