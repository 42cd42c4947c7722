/**
 * Two inner loops in WebAssembly with SIMD, which JavaScript has no other way to ask for: two numbers in one instruction.
 * They add in the same order as the plain loops beside their callers, so results are equal to the bit; those loops also
 * serve where there is no SIMD. Written down as instructions here, since a compiler for them would be the larger thing.
 */
import {
  type Code,
  compile,
  get,
  I32_ADD,
  I32_MUL,
  I32_SHIFT,
  i32,
  instantiate,
  load,
  loadWord,
  repeat,
  set,
  simd,
  step,
  store,
  unsigned,
  type WasmFunction,
  ZEROS,
} from './wasm.ts';

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

/** @returns null where the processor or the address space does not allow it */
export function vectorKernels(bytes: number): VectorKernels | null {
  const instance = instantiate(() => (module ??= compile(FUNCTIONS)), bytes);
  return instance && { memory: instance.memory, run: instance.exports as Exports };
}

let module: object | undefined;

const loadBytes = (offset: number): Code => [...simd(1), 3, ...unsigned(offset)];
const loadSplat = (offset: number): Code => [...simd(10), 3, ...unsigned(offset)];
/** The upper half of a vector that is given twice, twice. */
const UPPER = [...simd(13), ...Array.from({ length: 16 }, (_, index) => 8 + (index % 8))];
const [EXTEND_LOW, EXTEND_HIGH] = [simd(0xa7), simd(0xa8)] as const;
const [ADD, MULTIPLY, CONVERT_LOW] = [simd(0xf0), simd(0xf2), simd(0xfe)] as const;

function addRows(): WasmFunction {
  const [terms, gains, count, rows, width, sum, left, to] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [at, gain, bytes, wide] = [8, 12, 16, 20] as const;
  const four = [0, 1, 2, 3];
  const begin = four.flatMap((row) => [
    ...[
      ...get(terms),
      ...loadWord(4 * row),
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
    ...[...get(to), ...get(to), ...load(offset)],
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
    ...[...ADD, ...store(offset)],
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
  return { name: 'addRows', parameters: 6, words: 6, vectors: 12, code: repeat(count, group) };
}

function dots(): WasmFunction {
  const [blocks, count, vector, dimensions, into, left, from] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [value, sums] = [7, 8] as const;
  const four = [0, 1, 2, 3];
  const number = [
    ...[...get(from), ...loadSplat(0), ...set(value)],
    ...four.flatMap((pair) => [
      ...[...get(sums + pair), ...get(blocks), ...load(16 * pair), ...get(value), ...MULTIPLY, ...ADD],
      ...set(sums + pair),
    ]),
    ...step(from, 8),
    ...step(blocks, 64),
  ];
  const block = [
    ...[...get(vector), ...set(from), ...get(dimensions), ...set(left)],
    ...four.flatMap((pair) => [...ZEROS, ...set(sums + pair)]),
    ...repeat(left, number),
    ...four.flatMap((pair) => [...get(into), ...get(sums + pair), ...store(16 * pair)]),
    ...step(into, 64),
  ];
  return { name: 'dots', parameters: 5, words: 2, vectors: 5, code: repeat(count, block) };
}

const FUNCTIONS = [addRows(), dots()];
