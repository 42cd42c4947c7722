/**
 * How polled load affects the balance of replicas, by how it is counted: `npm run bench:herd`. Simulated, so it takes
 * seconds and is reproducible; the table is in docs/load-signals.md.
 */
import { type Counting, type HerdSetting, imbalance } from '../test/support/herd.ts';

const COUNTINGS: readonly Counting[] = ['polled', 'own', 'own+read', 'own+read+share'];
const SEEDS = [1, 2, 3];
const BASE = { replicas: 8, service: 2000, poll: 1000, foreign: 0 };

const SETTINGS: readonly (readonly [string, Omit<HerdSetting, 'seed'>])[] = [
  ['1 gateway', { ...BASE, gateways: 1, rate: 20 }],
  ['4 gateways', { ...BASE, gateways: 4, rate: 20 }],
  ['16 gateways', { ...BASE, gateways: 16, rate: 5 }],
  ['16 gateways, read every 5 s', { ...BASE, gateways: 16, rate: 5, poll: 5000 }],
  ['4 gateways, 15 requests of others at one replica', { ...BASE, gateways: 4, rate: 20, foreign: 15 }],
  ['16 gateways, 15 requests of others at one replica', { ...BASE, gateways: 16, rate: 5, foreign: 15 }],
];

console.log(`| busiest replica over the mean | ${COUNTINGS.join(' | ')} |`);
console.log(`|---|${COUNTINGS.map(() => '---:|').join('')}`);
for (const [name, setting] of SETTINGS) {
  const cells = COUNTINGS.map((counting) => {
    const values = SEEDS.map((seed) => imbalance({ ...setting, seed }, counting));
    return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
  });
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
