/** Decides without a server where prompts would go, and which words decide it. */
import { classify, createRouter, explain, loadRouterModel } from 'expert-router/router';

const model = await loadRouterModel();
const router = await createRouter({
  model,
  experts: [
    { id: 'code', description: 'Writes and explains programs', samples: ['Fix this Python function'] },
    { id: 'maths', description: 'Proves theorems and solves equations' },
    { id: 'general', description: 'Answers everyday questions', fallback: true },
  ],
});

for (const prompt of [
  'Write a Python function that reverses a list',
  'Solve the equation x^2 - 5x + 6 = 0',
  'zxqv wvut qqqq',
]) {
  const { expert, reason } = router.decide(prompt);
  const { name, confidence } = classify(model, prompt);
  const [word] = explain(model, prompt).for;
  console.log(`${prompt} -> ${expert} (${reason})`);
  console.log(`  ${name}, confidence ${confidence.toFixed(2)}${word ? `, because of ${word.word}` : ''}`);
}
