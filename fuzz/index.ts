/** `npm run fuzz -- [name] [--runs N] [--seed N]`: property tests at length. An input that breaks one is printed. */
import { parseArgs } from 'node:util';
import { type Random, seededRandom } from '../src/core/random.ts';
import { fuzzConfigs } from './config.ts';
import { fuzzRequests } from './request.ts';
import { fuzzResponses } from './response.ts';
import { fuzzSplices } from './splice.ts';
import { fuzzStreams } from './stream.ts';

interface Fuzzer {
  readonly says: string;
  /** @returns how many inputs said something @throws Error with the input that broke it */
  run(random: Random, runs: number, progress: (tried: number) => void): Promise<number>;
}

const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  response: { says: "answers are read as by Node's parser, wherever they are cut", run: fuzzResponses },
  stream: { says: 'streams are relayed byte for byte, and end as they ended', run: fuzzStreams },
  splice: { says: 'a model name is set in a body and nothing else', run: fuzzSplices },
  config: { says: 'a config is taken or refused with its reason', run: fuzzConfigs },
  request: { says: "plain requests are read as by Node's parser", run: fuzzRequests },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const unknown = positionals.find((name) => !(name in FUZZERS));
if (unknown !== undefined) {
  console.error(`There is no fuzzer '${unknown}'. Known: ${Object.keys(FUZZERS).join(', ')}.`);
  process.exit(2);
}
const runs = Number(values.runs);
for (const name of positionals.length > 0 ? positionals : Object.keys(FUZZERS)) {
  const { says, run } = FUZZERS[name]!;
  console.log(`${name}: ${says}; ${runs} inputs from seed ${values.seed}`);
  const started = performance.now();
  const every = Math.max(1, Math.floor(runs / 100));
  const show = (tried: number): void => {
    if (process.stderr.isTTY && tried % every === 0)
      process.stderr.write(`\r${Math.floor((100 * tried) / runs)} %`);
  };
  const taken = await run(seededRandom(Number(values.seed)), runs, show);
  console.log(
    `${name}: held; ${taken} inputs tried it, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
}
