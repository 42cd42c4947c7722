/** Trains a router model on your own prompts and evaluates it with labels that training never saw. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify, loadRouterModel } from 'expert-router/router';
import { normalisedMutualInformation, purity, saveRouterModel, train } from 'expert-router/training';

const things = ['list', 'tree', 'queue', 'string', 'matrix', 'graph', 'table', 'file', 'stack', 'number'];
const dishes = ['soup', 'bread', 'rice', 'pasta', 'cake', 'salad', 'curry', 'fish', 'omelette', 'stew'];
const sides = ['butter', 'garlic', 'onions', 'cream', 'lemon'];
const places = ['Lisbon', 'Kyoto', 'Oslo', 'Cusco', 'Hanoi', 'Porto', 'Quito', 'Bergen', 'Fez', 'Seoul'];
const months = ['March', 'April', 'June', 'August', 'October'];
const labelled = [
  ...pairs(
    things,
    ['Python', 'Rust', 'Java', 'Go', 'C'],
    (thing, language) => `Write a ${language} function that sorts a ${thing}`,
    'code',
  ),
  ...pairs(dishes, sides, (dish, side) => `How do I cook ${dish} with ${side} in the oven?`, 'cooking'),
  ...pairs(
    places,
    months,
    (place, month) => `Which hotel should I book for a trip to ${place} in ${month}?`,
    'travel',
  ),
];

const { model } = await train(
  { prompts: labelled.map(({ prompt }) => prompt) },
  { clusters: 3, dimensions: 16 },
);
const folder = await mkdtemp(join(tmpdir(), 'expert-router-'));
const file = join(folder, 'mine.router.safetensors');
await saveRouterModel(model, file);

const kept = await loadRouterModel(file);
const clusters = labelled.map(({ prompt }) => classify(kept, prompt).cluster);
const names = [...new Set(labelled.map(({ label }) => label))];
const labels = labelled.map(({ label }) => names.indexOf(label));
console.log(`clusters: ${kept.names.join('; ')}`);
console.log(
  `purity ${purity(clusters, labels).toFixed(2)}, NMI ${normalisedMutualInformation(labels, clusters).toFixed(2)}`,
);
await rm(folder, { recursive: true });

/**
 * @type {(ones: string[], others: string[], text: (one: string, other: string) => string, label: string) => { prompt:
 * string, label: string }[]}
 */
function pairs(ones, others, text, label) {
  return ones.flatMap((one) => others.map((other) => ({ prompt: text(one, other), label })));
}
