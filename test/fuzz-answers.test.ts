/** The fuzzers of `npm run fuzz` for answers, bodies and configs, for a while. */
import { expect, it } from 'vitest';
import { fuzzConfigs } from '../fuzz/config.ts';
import { fuzzResponses } from '../fuzz/response.ts';
import { fuzzSplices } from '../fuzz/splice.ts';
import { fuzzStreams } from '../fuzz/stream.ts';
import { seededRandom } from '../src/core/random.ts';

const seed = Date.now() % 1_000_000;

it.each<[string, typeof fuzzStreams, number]>([
  ["an answer is read as by Node's parser, wherever it is cut", fuzzResponses, 1_500],
  ['a stream is relayed byte for byte, and ends as it ended', fuzzStreams, 1_500],
  ['a model name is set in a body and nothing else', fuzzSplices, 1_500],
  ['a config is taken or refused with its reason', fuzzConfigs, 200],
])('%s', async (_says, fuzz, runs) => {
  expect(await fuzz(seededRandom(seed), runs)).toBeGreaterThan(runs / 50);
});
