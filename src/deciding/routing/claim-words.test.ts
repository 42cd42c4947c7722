import { describe, expect, it } from 'vitest';
import { classify } from '../model/classify.ts';
import { DEFAULT_MODEL, loadModelFile } from '../model/file.ts';
import { promptText, type RoutableText, routableTurns } from '../text/routable.ts';
import { explainClaim } from './claim-words.ts';
import { territoryOf } from './described.ts';

const model = await loadModelFile(DEFAULT_MODEL);
const EXPERTS = [
  { id: 'code', description: 'Writes, explains and debugs programs' },
  { id: 'maths', samples: ['Solve for x in 3x + 7 = 22', 'What is the probability of two sixes?'] },
  { id: 'general', fallback: true },
];
const territory = await territoryOf(model, EXPERTS);

const explained = (text: RoutableText, limit = Number.POSITIVE_INFINITY) =>
  explainClaim(model, territory, text, classify(model, text), limit);

describe('the words between two experts', () => {
  it('are those of the subject, for the expert that claims the prompt most and against the next', () => {
    const told = explained(
      promptText('Why does my Python loop never end? It iterates over a list of integers'),
      3,
    )!;
    expect([told.expert, told.rival]).toEqual(['code', 'maths']);
    expect(told.for.map(({ word }) => word)).toEqual(['python', 'loop', 'list']);
  });

  it('add up to the whole lead, with and without a conversation before them', () => {
    const turns = routableTurns('chat', {
      messages: [
        { role: 'system', content: 'You are terse.' },
        { role: 'user', content: 'Explain what a monad is in Haskell' },
        { role: 'assistant', content: 'A monoid.' },
        { role: 'user', content: 'and in Python?' },
        { role: 'user', content: 'Integrate x squared from 0 to 3, step by step' },
        { role: 'user', content: 'again' },
      ],
    });
    for (const text of [...turns, promptText('Which bread goes with soup?')]) {
      const told = explained(text)!;
      const sum = [...told.for, ...told.against].reduce((total, one) => total + one.weight, told.constant);
      expect(sum).toBeCloseTo(1, 2);
    }
  });

  it('are none where something else decided: a sample, or nothing that anybody says', async () => {
    expect(explained(promptText('What is the probability of two sixes?'))).toBeNull();
    expect(explained(promptText('Xyzzy plugh frobnicate'))).toBeNull();
    const silent = await territoryOf(model, [{ id: 'one' }, { id: 'two' }]);
    const text = promptText('How do I cook rice?');
    expect(explainClaim(model, silent, text, classify(model, text), 8)).toBeNull();
  });
});
