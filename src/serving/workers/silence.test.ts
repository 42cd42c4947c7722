import { expect, it } from 'vitest';
import { HUNG_AFTER, READING, Silence } from './silence.ts';

const looks = (silence: Silence, count: number, reads: boolean): boolean[] =>
  Array.from({ length: count }, () => silence.look(reads)).filter(Boolean);

it('tells once that a worker hangs, and not while it is heard', () => {
  const silence = new Silence();
  for (let turn = 0; turn < 3; turn++) {
    expect(looks(silence, HUNG_AFTER - 1, false)).toEqual([]);
    silence.heard();
  }
  expect(looks(silence, 10 * HUNG_AFTER, false)).toEqual([true]);
});

it('leaves one that reads a config more time, also after its first words', () => {
  const silence = new Silence();
  silence.heard();
  expect(looks(silence, HUNG_AFTER + READING - 1, true)).toEqual([]);
  expect(looks(silence, 1, true)).toEqual([true]);
  const done = new Silence();
  expect(looks(done, 2 * HUNG_AFTER, true)).toEqual([]);
  done.heard();
  expect(looks(done, HUNG_AFTER, false)).toEqual([true]);
});
