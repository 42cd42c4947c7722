/** A conversation goes on where it was answered: after a spill, and under the name that its client gives it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';

const QUESTION = 'Write a Python function that reverses a linked list.';

let router: RunningGateway;
beforeAll(async () => {
  router = await gateway(`
experts:
  - { id: code, kind: emulated, description: 'Writes, explains and debugs programs', max_concurrent: 1 }
  - { id: cooking, kind: emulated, description: 'Cooking, recipes, baking' }
  - { id: general, kind: emulated, fallback: true }`);
});
afterAll(() => router.close());

const turns = (...said: readonly string[]) => ({
  model: 'auto',
  messages: said.flatMap((content, at) => [
    ...(at === 0 ? [] : [{ role: 'assistant', content: 'Here it is.' }]),
    { role: 'user', content },
  ]),
});
async function asked(body: object, headers: Record<string, string> = {}): Promise<string | null> {
  const answer = await router.post('/v1/chat/completions', body, headers);
  await answer.text();
  return answer.headers.get('x-expert-router-expert');
}

it('short replies stay where a client’s named conversation is, although they come alone', async () => {
  const named = { 'x-session-id': 'recipes' };
  expect(await asked(turns('How do I bake a sourdough bread?'), named)).toBe('cooking');
  expect(await asked(turns('the second one'), named)).toBe('cooking');
  expect(await asked(turns('the second one'))).not.toBe('cooking');
  // A question that says enough by itself is followed.
  expect(await asked(turns(QUESTION), named)).toBe('code');
  expect(await asked(turns('yes'), named)).toBe('code');
});

it('the dry run knows it too, and does not move it', async () => {
  const named = { 'x-session-id': 'dry' };
  await asked(turns('How do I bake a sourdough bread?'), named);
  for (let round = 0; round < 2; round += 1) {
    const dry = await router.post('/v1/route', turns('yes'), named);
    expect(dry.headers.get('x-expert-router-expert')).toBe('cooking');
    await router.post('/v1/route', turns(QUESTION), named);
  }
});

it('what a program puts into every message of a caller is no longer what is asked, and route shows that', async () => {
  const wrapped = (question: string) =>
    turns(
      `Rules of the recipe app: name the ingredients, the oven and the pan.\nServe with rice or soup.\n${question}`,
    );
  const question = 'Why does this C++ program crash in its destructor?';
  expect(await asked(wrapped(question))).toBe('cooking');
  for (let at = 0; at < 12; at += 1) await asked(wrapped(`Which train number ${at} goes to Porto?`));
  expect(await asked(wrapped(question))).toBe('code');
  const dry = await router.post('/v1/route', wrapped(question));
  expect(await dry.json()).toMatchObject({ expert: 'code', text: expect.stringMatching(/^Why does this C/) });
});
