/** Decisions that the router model makes by itself, in OpenAI's words and in System One's. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shares } from '../src/serving/front/decisions.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';

let router: RunningGateway;
beforeAll(async () => {
  router = await gateway(`
experts:
  - { id: code, kind: emulated, description: 'Writes, explains and repairs programs' }
  - { id: cook, kind: emulated, description: 'Recipes, cooking and baking' }
  - { id: general, kind: emulated, fallback: true }
`);
});
afterAll(() => router.close());

const PROMPT = 'Why does this Python function raise a TypeError?';
const choice = (...values: string[]) => [
  { type: 'choice', name: 'who', choices: values.map((value) => ({ value, description: 'x' })) },
];

interface Answer {
  readonly choice: string;
  readonly confidence: number;
  readonly probabilities: readonly { readonly value: string; readonly probability: number }[];
}

async function decide(body: object): Promise<{ model: string; answers: Answer[]; usage: object }> {
  const response = await router.post('/v1/decisions', body);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as { model: string; answers: Answer[]; usage: object };
}

async function routed(content: string): Promise<{ expert: string; cluster: number; cluster_name: string }> {
  const response = await router.post('/v1/route', { messages: [{ role: 'user', content }] });
  return (await response.json()) as { expert: string; cluster: number; cluster_name: string };
}

it.each([PROMPT, 'How long must bread dough rest?'])(
  '%s: the expert that the router would choose',
  async (input) => {
    const { expert } = await routed(input);
    const { answers, usage } = await decide({
      model: 'auto',
      input,
      questions: choice('cook', 'code', 'general'),
    });
    expect(answers).toMatchObject([{ type: 'choice', name: 'who', choice: expert }]);
    const { probabilities, confidence } = answers[0]!;
    expect(probabilities.map(({ value }) => value)).toEqual(['cook', 'code', 'general']);
    expect(probabilities.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 2);
    expect(Math.max(...probabilities.map(({ probability }) => probability))).toBe(confidence);
    expect(usage).toMatchObject({ input_tokens: 0, output_tokens: 0 });
  },
);

it('an expert that suits a text best is told from others although the cluster it lies in is doubtful', async () => {
  const { answers } = await decide({
    input: 'Why does my loop never end?',
    questions: choice('code', 'cook'),
  });
  expect(answers[0]!.choice).toBe('code');
  expect(answers[0]!.confidence).toBeGreaterThan(0.6);
});

it('reads messages as it reads a text, and chooses among those offered', async () => {
  const messages = [{ role: 'user', content: [{ type: 'input_text', text: PROMPT }] }];
  expect(await decide({ input: messages, questions: choice('cook', 'code') })).toEqual(
    await decide({ input: PROMPT, questions: choice('cook', 'code') }),
  );
  const { answers } = await decide({ input: PROMPT, questions: choice('cook') });
  expect(answers).toMatchObject([{ choice: 'cook', confidence: 1 }]);
});

it('chooses among clusters by name or number', async () => {
  const { cluster, cluster_name: name } = await routed(PROMPT);
  const others = [0, 1, 2].filter((one) => one !== cluster).map(String);
  for (const own of [name, String(cluster)])
    expect((await decide({ input: PROMPT, questions: choice(...others, own) })).answers[0]!.choice).toBe(own);
});

it.each(['/v1/decisions', '/v1/systemone'])('answers System One at %s', async (path) => {
  const criteria = { code: 'programs', cook: 'food' };
  const body = { state: PROMPT, questions: { who: { type: 'choice', instructions: 'Who?', criteria } } };
  const response = await router.post(path, body);
  expect(await response.json()).toEqual({
    model: expect.any(String),
    answers: {
      who: {
        type: 'choice',
        choice: 'code',
        confidence: expect.any(Number),
        probabilities: { code: expect.any(Number), cook: expect.any(Number) },
      },
    },
    usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
  });
});

describe('refused, naming the field', () => {
  it.each([
    [{ questions: choice('code') }, 'input'],
    [{ input: 'x' }, 'questions'],
    [{ input: 'x', questions: [] }, 'questions'],
    [{ input: 'x', questions: [...choice('code'), ...choice('cook')] }, 'questions'],
    [{ input: 'x', questions: [{ type: 'predicate', instructions: 'Is it?' }] }, 'questions[0].type'],
    [{ input: 'x', questions: [{ type: 'score' }] }, 'questions[0].type'],
    [{ input: 'x', questions: [{ type: 'choice' }] }, 'questions[0].choices'],
    [{ input: 'x', questions: [{ type: 'choice', choices: [{}] }] }, 'questions[0].choices[0]'],
    [{ input: 'x', questions: choice('code', 'code') }, 'questions[0].choices'],
    [{ input: 'x', questions: choice('spam', 'ham') }, 'questions[0].choices'],
    [{ input: 'x', questions: choice('code', '0') }, 'questions[0].choices'],
    [{ input: 'x', model: 'code', questions: choice('code') }, 'model'],
    [{ input: 'x', model: 'gpt-5', questions: choice('code') }, 'model'],
    [{ state: 'x', questions: { q: { type: 'noul', instructions: 'Is it?' } } }, 'questions.q.type'],
    [{ state: 3, questions: { q: { type: 'choice', criteria: ['code'] } } }, 'state'],
  ])('%j: %s', async (body, param) => {
    const response = await router.post('/v1/decisions', body);
    const { error } = (await response.json()) as { error: { param: string; message: string } };
    expect([response.status < 500, error.param]).toEqual([true, param]);
  });
});

it('gives shares whose best has the confidence, in the order of the scores', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -2, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (scores, confidence) => {
        const told = shares(scores, confidence);
        expect(told.reduce((a, b) => a + b, 0)).toBeCloseTo(1);
        const [most, ...rest] = scores.toSorted((a, b) => b - a) as [number, ...number[]];
        const best = told[scores.indexOf(most)]!;
        expect(Math.max(...told)).toBeCloseTo(best);
        const apart = rest.length === 0 || most - rest[0]! > 1e-2;
        if (apart) expect(best).toBeCloseTo(Math.max(confidence, 1 / scores.length), 2);
      },
    ),
  );
});
