/**
 * The model name set in the bytes of a body: the result parses to the same value with that name, and every byte outside of
 * the members it sets is where it was. Members are found alike wherever the body is cut.
 */
import { isDeepStrictEqual } from 'node:util';
import { JsonMeasure } from '../src/core/json-measure.ts';
import { joined } from '../src/core/pieces.ts';
import type { Random } from '../src/core/random.ts';
import { Members } from '../src/serving/dialects/members.ts';
import { cut, oneOf } from './mutate.ts';

const SPACES = ['', '', '', ' ', '\n', '\t ', '\r\n'];
const KEYS = [
  '"model"',
  '"mod\\u0065l"',
  '"\\u006dodel"',
  '"models"',
  '""',
  '"a"',
  '"messages"',
  '"\\""',
  '"\\\\"',
  '"\\ud83d"',
];
const SCALARS = [
  '0',
  '-0',
  '1e400',
  '12345678901234567890',
  '1.0',
  'true',
  'null',
  '"x"',
  '"}"',
  '"\\""',
  '"é\u{1f600}"',
  '"\\\\"',
];
const NAMES = ['m', 'org/model:tag', '"quoted"', 'é\u{1f600}', 'a'.repeat(3_000), '\\'];

function space(random: Random): string {
  return oneOf(SPACES, random);
}

function valueText(random: Random, depth: number): string {
  const what = random.below(depth > 4 ? 1 : 4);
  if (what === 1) return objectText(random, depth + 1);
  if (what !== 2) return oneOf(SCALARS, random);
  const items = Array.from(
    { length: random.below(4) },
    () => `${space(random)}${valueText(random, depth + 1)}${space(random)}`,
  );
  return `[${items.join(',')}${items.length === 0 ? space(random) : ''}]`;
}

function objectText(random: Random, depth: number): string {
  const members = Array.from({ length: random.below(6) }, () => {
    const key = oneOf(KEYS, random);
    return `${space(random)}${key}${space(random)}:${space(random)}${valueText(random, depth)}${space(random)}`;
  });
  return `{${members.join(',')}${members.length === 0 ? space(random) : ''}}`;
}

export async function fuzzSplices(
  random: Random,
  runs: number,
  progress: (tried: number) => void = () => {},
): Promise<number> {
  for (let tried = 0; tried < runs; tried += 1) {
    const text = `${space(random)}${objectText(random, 0)}${space(random)}`;
    const name = oneOf(NAMES, random);
    const problem = problemOf(Buffer.from(text), name, random);
    if (problem !== null) throw new Error(`${problem}: ${JSON.stringify(text)} with ${JSON.stringify(name)}`);
    progress(tried + 1);
  }
  return runs;
}

function problemOf(body: Buffer, name: string, random: Random): string | null {
  const measure = new JsonMeasure();
  for (const piece of cut(body, random)) measure.push(piece);
  const known = new Members(body, measure.members);
  const splices = known.set('model', name);
  if (!isDeepStrictEqual(splices, new Members(body).set('model', name))) return 'found otherwise when cut';
  const made = joined(known.with(splices));
  const expected = { ...(JSON.parse(body.toString()) as object), model: name };
  if (!isDeepStrictEqual(JSON.parse(made.toString()), expected)) return `parsed to another value: ${made}`;
  let from = 0;
  let at = 0;
  for (const { start, end, bytes } of splices) {
    const kept = start - from;
    if (!made.subarray(at, at + kept).equals(body.subarray(from, start)))
      return `other bytes changed: ${made}`;
    at += kept + bytes.length;
    from = end;
  }
  return made.subarray(at).equals(body.subarray(from)) ? null : `the end changed: ${made}`;
}
