/** The fuzzers of `npm run fuzz`, for a while. */
import { expect, it } from 'vitest';
import { fuzzRequests } from '../fuzz/request.ts';
import { seededRandom } from '../src/core/random.ts';

const RUNS = 3_000;

it("whatever request the plain lane takes, Node's parser reads alike", async () => {
  const taken = await fuzzRequests(seededRandom(Date.now() % 1_000_000), RUNS);
  expect(taken).toBeGreaterThan(RUNS / 4);
});
