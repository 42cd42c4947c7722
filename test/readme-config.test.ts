/** The README's three experts get the prompts that a colleague would give them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRouter, loadRouterModel, type PromptRouter } from '../src/router.ts';
import { parseConfig } from '../src/serving/config/load.ts';

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
const CONFIG = /```yaml\n(# experts\.yaml\n[\s\S]*?)```/.exec(README)![1]!;

let router: PromptRouter;

beforeAll(async () => {
  const { experts } = parseConfig(CONFIG, 'experts.yaml', { MATHS_KEY: 'secret' });
  router = await createRouter({ model: await loadRouterModel(), experts });
});

describe("the README's three experts", () => {
  it.each([
    ['Write a function that removes duplicates from a list', 'code'],
    ['My Java program throws a NullPointerException, how do I debug it?', 'code'],
    ['SELECT name FROM users gives me a syntax error', 'code'],
    ['Solve for x in 3x + 7 = 22', 'maths'],
    ['What is the probability of two sixes?', 'maths'],
    ['What is the derivative of x^2 * sin(x)?', 'maths'],
    ['What are the symptoms of diabetes?', 'general'],
    ['Write a poem about the sea', 'general'],
    ['How do I cook risotto?', 'general'],
    ['Who was Napoleon?', 'general'],
    ['What should I see in Rome?', 'general'],
    ['hello', 'general'],
  ])('%s -> %s', (prompt, expert) => {
    expect(router.decide(prompt).expert).toBe(expert);
  });
});
