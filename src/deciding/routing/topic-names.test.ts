import { describe, expect, it } from 'vitest';
import { namedTopics, TOPIC_NAMES } from './topic-names.ts';
import { TOPICS } from './topics.ts';

describe('namedTopics', () => {
  it('has a list for every topic, and none for others', () => {
    expect(Object.keys(TOPIC_NAMES).sort()).toEqual(TOPICS.map(({ name }) => name).sort());
  });

  it.each([
    ['A coding assistant', ['programming']],
    ['Maths problems', ['mathematics']],
    ['Legal advice', ['law']],
    ['Answers questions about health and illness', ['medicine']],
    ['コードを書く', ['programming']],
    ['数学の問題を解く', ['mathematics']],
    ['Programmierung und Recht', ['law', 'programming']],
    ['C++ and C#', ['programming']],
    ['Stories, poems and e-mails', ['creative writing', 'letters and texts']],
  ])('%s', (description, topics) => {
    expect([...namedTopics(description)].sort()).toEqual(topics);
  });

  it('takes the longest name alone', () => {
    expect(namedTopics('machine learning')).toEqual(['data and models', 'statistics']);
    expect(namedTopics('neural networks')).toEqual(['data and models', 'statistics']);
  });

  it('takes whole words alone', () => {
    expect(namedTopics('Careful, patient and scarce')).toEqual([]);
    expect(namedTopics('A codec for barcodes')).toEqual([]);
  });

  it('takes nothing from what an expert is not for, or from the languages it answers in', () => {
    expect(namedTopics('Everyday questions, but no code')).toEqual([]);
    expect(namedTopics('数学以外の質問')).toEqual([]);
    expect(namedTopics('Answers in many languages')).toEqual([]);
    expect(namedTopics('Languages: vocabulary and grammar')).toContain('languages');
  });

  it('takes a description of any length', () => {
    for (const text of ['for all ', '以外', 'a']) expect(namedTopics(text.repeat(200_000))).toEqual([]);
  });
});
