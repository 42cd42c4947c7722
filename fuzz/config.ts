/** Configs, changed in their text and in their values: each is taken, or refused as a user's mistake whose message is bounded. */
import { UserError } from '../src/core/errors.ts';
import type { Random } from '../src/core/random.ts';
import { configFrom } from '../src/serving/config/load.ts';
import { damaged, oneOf } from './mutate.ts';

const TEXTS = [
  `listen: 127.0.0.1:8080
heartbeat: 10s
policy: { name: spill, seconds_per_affinity: 5 }
keys: [{ name: a, hash: 'sha256:${'0'.repeat(64)}', roles: [ask], priority: 3 }]
experts:
  - id: code
    kind: openai
    url: [http://a:8000, { url: http://b:8000, weight: 2 }]
    api_key: \${KEY}
    samples: ["x", "y"]
    clusters: [0, 1]
  - { id: cloud, kind: anthropic, api_key: k, model: m, fallback: true }
  - { id: emulated, kind: emulated, max_concurrent: 3, queue_timeout: 5s }
`,
  'experts: [{ id: e, kind: emulated }]\n',
  JSON.stringify({ experts: [{ id: 'e', kind: 'openai', url: 'http://h:1' }], allowed_hosts: ['x'] }),
];
const VALUES = [
  'null',
  'true',
  '-1',
  '1e99',
  '.nan',
  '"',
  "''",
  '[]',
  '{}',
  '[[[[]]]]',
  '&a [*a]',
  '*x',
  '!!binary x',
  '!!js/function x',
  '${KEY}',
  '${MISSING}',
  '${',
  '$$',
  '2026-11-26',
  '0x10',
  '1_000',
  '|',
  '>-',
  '? x',
  'a: b',
  '- x',
  '\t',
  '#',
  '"\\x"',
  'http://',
  'h'.repeat(3_000),
  '5 parsecs',
  '<<: *a',
  '---',
  '...',
  '%YAML 1.1',
];
/** Characters of a refusal at most: a line for each of some problems. */
const MOST_MESSAGE = 100_000;

export async function fuzzConfigs(
  random: Random,
  runs: number,
  progress: (tried: number) => void = () => {},
): Promise<number> {
  let taken = 0;
  for (let tried = 0; tried < runs; tried += 1) {
    const text = changed(oneOf(TEXTS, random), random);
    try {
      configFrom(text, '/nowhere/config.yaml', { KEY: 'k' });
      taken += 1;
    } catch (error) {
      if (!(error instanceof UserError) || error.message.length > MOST_MESSAGE || error.message === '')
        throw new Error(`Not refused as it should be: ${JSON.stringify(text)}`, { cause: error });
    }
    progress(tried + 1);
  }
  return taken;
}

/** Values in place of others, then bytes changed. */
function changed(text: string, random: Random): string {
  let made = text;
  for (let times = random.below(3); times > 0; times -= 1) {
    const places = [...made.matchAll(/[^\s,:[\]{}]+/g)];
    if (places.length === 0) break;
    const { index, 0: old } = oneOf(places, random);
    made = made.slice(0, index) + oneOf(VALUES, random) + made.slice(index + old.length);
  }
  return damaged(Buffer.from(made), random).toString();
}
