import { expect, it } from 'vitest';
import { failureText, reasonText } from './story.ts';
import { englishStory } from './story-words.ts';

it('says that a prompt lies in a topic of its expert only where that expert serves the topic', () => {
  const chosen = { reason: 'nearest-cluster', spilledFor: null, expert: 'science', home: 'science' };
  const told = (owner: string | null): string => reasonText({ ...chosen, owner }, englishStory);
  expect(told('science')).toBe('The prompt lies in this topic, and science serves it.');
  for (const owner of ['code', null]) expect(told(owner)).toMatch(/^What it says suits science best/);
});

it('says in words why a request failed: of a refusal by an expert what that means, of one by us what it is', () => {
  const tried = (error: string, status: number) =>
    ({
      expert: 'code',
      replica: null,
      fromMs: 0,
      answeredMs: null,
      failedMs: 1,
      error,
      status,
      spanId: null,
    }) as const;
  const told = (error: string | null, ...asked: ReturnType<typeof tried>[]) =>
    failureText({ error, asked }, englishStory);
  expect(told('expert_error', tried('expert_error', 401))).toBe(englishStory.refusals[401]);
  expect(told('expert_error', tried('expert_error', 418))).toBe(englishStory.errors.expert_error);
  expect(told('queue_timeout', tried('expert_error', 401))).toBe(englishStory.errors.queue_timeout);
  expect(told('invalid_api_key')).toBe(englishStory.errors.invalid_api_key);
  expect(told('not_known_yet')).toBe('not_known_yet');
  expect(told(null, tried('expert_error', 503))).toBeNull();
});
