/** What all fuzzers do to their inputs: choose, cut, and change a few bytes. */
import type { Random } from '../src/core/random.ts';

export function oneOf<T>(list: readonly T[], random: Random): T {
  return list[random.below(list.length)]!;
}

/** Pieces that together are the bytes; empty ones are left out. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const most = oneOf([1, 3, 20, 200, 5_000], random);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(most);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** Up to three places removed, doubled or overwritten; most often none. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let made = bytes;
  for (let times = Math.max(0, random.below(6) - 2); times > 0 && made.length > 0; times -= 1) {
    const at = random.below(made.length);
    const end = Math.min(made.length, at + 1 + random.below(oneOf([1, 1, 8, 300], random)));
    const [before, middle, after] = [made.subarray(0, at), made.subarray(at, end), made.subarray(end)];
    const changes = [
      () => [before, after],
      () => [before, middle, middle, after],
      () => [before, Buffer.from([random.below(256)]), after],
      () => [before, Buffer.from(oneOf(['\r', '\n', '\r\n', '\0', '"', '{', '0', ' ', ':'], random)), after],
      () => [before],
    ];
    made = Buffer.concat(oneOf(changes, random)());
  }
  return made;
}
