/**
 * Two inner loops in WebAssembly with SIMD, which JavaScript has no other way to ask for: two numbers in one instruction.
 * They add in the same order as the plain loops beside their callers, so results are equal to the bit; those loops also
 * serve where there is no SIMD. Written down as instructions here, since a compiler for them would be the larger thing.
 */

/** What an instance offers; addresses are bytes into its memory. */
interface Exports {
  /**
   * For `count` (above 0) groups of four: adds to `sum` (doubles) the four rows of `width` signed bytes (a multiple of 8)
   * whose numbers are at `terms` (32 bits each), times the doubles at `gains`.
   */
  addRows(terms: number, gains: number, count: number, rows: number, width: number, sum: number): void;
  /**
   * For `count` (above 0) blocks of eight rows at `blocks` (doubles, the first number of each row, then the second of each)
   * their dot products with the `dimensions` doubles at `vector`, into `dots`.
   */
  dots(blocks: number, count: number, vector: number, dimensions: number, dots: number): void;
}

export interface VectorKernels {
  readonly memory: ArrayBuffer;
  readonly run: Exports;
}

/** The part of WebAssembly that is used; Node's types leave it out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65_536;

/** @returns null where the processor or the address space does not allow it */
export function vectorKernels(bytes: number): VectorKernels | null {
  try {
    compiled ??= new WebAssembly.Module(moduleOf());
    const pages = Math.ceil(bytes / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(compiled, { m: { m: memory } });
    return { memory: memory.buffer, run: exports as Exports };
  } catch {
    return null;
  }
}

let compiled: object | undefined;

/** Instructions, as bytes; names are those of the specification (webassembly.github.io/spec/core/binary). */
type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const tee = (local: number): Code => [0x22, local];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const I32_LOAD = [0x28, 2];
const [I32_ADD, I32_SUB, I32_MUL, I32_SHIFT] = [[0x6a], [0x6b], [0x6c], [0x76]] as const;
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const loadPair = (offset: number): Code => [...simd(0), 3, ...unsigned(offset)];
const loadBytes = (offset: number): Code => [...simd(1), 3, ...unsigned(offset)];
const loadSplat = (offset: number): Code => [...simd(10), 3, ...unsigned(offset)];
const storePair = (offset: number): Code => [...simd(11), 3, ...unsigned(offset)];
const ZEROS = [...simd(12), ...new Array<number>(16).fill(0)];
/** The upper half of a vector that is given twice, twice. */
const UPPER = [...simd(13), ...Array.from({ length: 16 }, (_, index) => 8 + (index % 8))];
const [EXTEND_LOW, EXTEND_HIGH] = [simd(0xa7), simd(0xa8)] as const;
const [ADD, MULTIPLY, CONVERT_LOW] = [simd(0xf0), simd(0xf2), simd(0xfe)] as const;

const step = (local: number, by: number): Code => [...get(local), ...i32(by), ...I32_ADD, ...set(local)];

/** Runs the body, then counts the local down, until it is zero. */
const repeat = (counter: number, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...[...get(counter), ...i32(1), ...I32_SUB, ...tee(counter)],
  ...[0x0d, 0, 0x0b],
];

function addRowsCode(): Code {
  const [terms, gains, count, rows, width, sum, left, to] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [at, gain, bytes, wide] = [8, 12, 16, 20] as const;
  const four = [0, 1, 2, 3];
  const begin = four.flatMap((row) => [
    ...[
      ...get(terms),
      ...I32_LOAD,
      4 * row,
      ...get(width),
      ...I32_MUL,
      ...get(rows),
      ...I32_ADD,
      ...set(at + row),
    ],
    ...[...get(gains), ...loadSplat(8 * row), ...set(gain + row)],
  ]);
  /** Two numbers of each row, times its gain, added to those of the sum. */
  const pair = (offset: number, upper: boolean): Code => [
    ...[...get(to), ...get(to), ...loadPair(offset)],
    ...four.flatMap((row) => [
      ...[
        ...get(wide + row),
        ...(upper ? [...get(wide + row), ...UPPER] : []),
        ...CONVERT_LOW,
        ...get(gain + row),
        ...MULTIPLY,
      ],
      ...(row === 0 ? [] : ADD),
    ]),
    ...[...ADD, ...storePair(offset)],
  ];
  const half = (offset: number, extend: Code): Code => [
    ...four.flatMap((row) => [...get(bytes + row), ...extend, ...set(wide + row)]),
    ...pair(offset, false),
    ...pair(offset + 16, true),
  ];
  const eight = [
    ...four.flatMap((row) => [...get(at + row), ...loadBytes(0), ...set(bytes + row), ...step(at + row, 8)]),
    ...half(0, EXTEND_LOW),
    ...half(32, EXTEND_HIGH),
    ...step(to, 64),
  ];
  const group = [
    ...[...get(sum), ...set(to), ...get(width), ...i32(3), ...I32_SHIFT, ...set(left)],
    ...begin,
    ...repeat(left, eight),
    ...step(terms, 16),
    ...step(gains, 32),
  ];
  return body(6, 12, repeat(count, group));
}

function dotsCode(): Code {
  const [blocks, count, vector, dimensions, dots, left, from] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [value, sums] = [7, 8] as const;
  const four = [0, 1, 2, 3];
  const number = [
    ...[...get(from), ...loadSplat(0), ...set(value)],
    ...four.flatMap((pair) => [
      ...[...get(sums + pair), ...get(blocks), ...loadPair(16 * pair), ...get(value), ...MULTIPLY, ...ADD],
      ...set(sums + pair),
    ]),
    ...step(from, 8),
    ...step(blocks, 64),
  ];
  const block = [
    ...[...get(vector), ...set(from), ...get(dimensions), ...set(left)],
    ...four.flatMap((pair) => [...ZEROS, ...set(sums + pair)]),
    ...repeat(left, number),
    ...four.flatMap((pair) => [...get(dots), ...get(sums + pair), ...storePair(16 * pair)]),
    ...step(dots, 64),
  ];
  return body(2, 5, repeat(count, block));
}

/** A function's body, with so many locals of 32 bits and of 128. */
function body(words: number, vectors: number, code: Code): Code {
  return sized([2, words, I32, vectors, V128, ...code, 0x0b]);
}

function moduleOf(): Uint8Array {
  const parameters = (count: number): Code => [0x60, count, ...new Array<number>(count).fill(I32), 0];
  const exported = (name: string, index: number): Code => [name.length, ...Buffer.from(name), 0, index];
  const sections: readonly (readonly [number, Code])[] = [
    [1, [2, ...parameters(6), ...parameters(5)]],
    [2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]],
    [3, [2, 0, 1]],
    [7, [2, ...exported('addRows', 0), ...exported('dots', 1)]],
    [10, [2, ...addRowsCode(), ...dotsCode()]],
  ];
  const code = sections.flatMap(([id, content]) => [id, ...sized(content)]);
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...code]);
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const low = value & 127;
  const rest = value >> 7;
  const last = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
  return last ? [low] : [low | 128, ...signed(rest)];
}
