/** A custom policy: the cheapest expert that suits a prompt well enough. */
import { createGateway } from 'expert-router';
import { definePolicy, z } from 'expert-router/policy';

const thrifty = definePolicy({
  id: 'thrifty',
  summary: 'the cheapest expert that suits the prompt well enough',
  options: z.strictObject({
    prices: z.record(z.string(), z.number()).describe('US dollars per million tokens, by expert'),
    enough: z.number().min(0).max(1).default(0.5).describe('affinity from which an expert suits a prompt'),
  }),
  // Return every candidate, best first: the others are tried when the first cannot answer.
  rank: ({ candidates }, { prices, enough }) => {
    const price = (candidate) => prices[candidate.id] ?? Number.POSITIVE_INFINITY;
    const suits = (candidate) => candidate.load.available && candidate.affinity >= enough;
    return candidates.toSorted(
      (a, b) => Number(suits(b)) - Number(suits(a)) || price(a) - price(b) || b.affinity - a.affinity,
    );
  },
});

const experts = [
  { id: 'coder', kind: 'emulated', description: 'Writes and explains programs in Python and Rust' },
  { id: 'small', kind: 'emulated', description: 'Answers everyday questions' },
];
for (const enough of [0, 0.95]) {
  const policy = { name: 'thrifty', prices: { coder: 5, small: 0.2 }, enough };
  const gateway = await createGateway({ policy, experts }, { policies: [thrifty] });
  const { expert } = await gateway.route({ prompt: 'Write a Python function that reverses a list' });
  console.log(`affinity of ${enough} is enough -> ${expert}`);
  await gateway.close();
}
