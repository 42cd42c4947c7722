/**
 * Counts how often two different terms share a hash, on real prompts: `node scripts/run.js evaluation/collisions.ts --
 * --corpora <folder>`. Words, pairs and n-grams of scripts without spaces; other kinds do not have a single span.
 */
import { parseArgs } from 'node:util';
import { FeatureBuffer } from '../src/deciding/text/feature-buffer.ts';
import { CHARACTERS, extractFeatures, MARKS, normalise } from '../src/deciding/text/features.ts';
import { sampleText } from '../src/deciding/text/sampling.ts';
import { labelledPrompts } from './labelled.ts';

const { values } = parseArgs({ options: { corpora: { type: 'string' } }, strict: false });
if (typeof values.corpora !== 'string') throw new Error('give the folder of the corpora: --corpora <folder>');

const seen = new Map<number, string>();
const collided = new Set<number>();
const features = new FeatureBuffer(true);
for (const { text } of labelledPrompts(values.corpora)) {
  const read = normalise(sampleText(text));
  extractFeatures(read, features);
  for (let index = 0; index < features.length; index += 1) {
    const hash = features.hashes[index]!;
    const kind = hash & 7;
    if (kind === CHARACTERS || kind >= MARKS) continue;
    const words = read.slice(features.starts[index], features.ends[index]).toLowerCase();
    const term = words
      .replaceAll('’', "'")
      .replaceAll("'", '')
      .replaceAll(/\p{Nd}+/gu, '#')
      .replaceAll(/[\s_]+/g, ' ');
    const before = seen.get(hash);
    if (before === undefined) seen.set(hash, term);
    else if (before !== term && before.replaceAll(' ', '') !== term.replaceAll(' ', '')) collided.add(hash);
  }
}
console.log(`${seen.size} different hashes, ${collided.size} of them stand for more than one term`);
for (const hash of [...collided].slice(0, 10))
  console.log(`  for instance ${JSON.stringify(seen.get(hash))}`);
