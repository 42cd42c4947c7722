/**
 * Two inner loops in WebAssembly with SIMD, which JavaScript has no other way to ask for: several numbers in one
 * instruction. They add integers, so results are equal to the bit to those of the plain loops beside their callers, which
 * serve where there is no SIMD. Written down as instructions here, since a compiler for them would be the larger thing.
 */
import {
  type Code,
  compile,
  get,
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

/** Rows whose dot products are summed side by side. */
export const ROWS_OF_A_BLOCK = 32;

/** What an instance offers; addresses are bytes into its memory. */
interface Exports {
  /**
   * For `count` (above 0) groups of four: adds to `sum` (32-bit integers) the four rows of `width` signed bytes (a multiple
   * of 16) whose addresses are at `rows`, times the 16-bit integers at `gains`.
   */
  addRows(rows: number, gains: number, count: number, width: number, sum: number): void;
  /**
   * For `count` (above 0) blocks of 32 rows at `blocks` (16-bit integers, the first two of each row, then the next two of
   * each) their dot products with the `pairs` times two integers at `vector`, into `dots` (32 bits).
   */
  dots(blocks: number, count: number, vector: number, pairs: number, dots: number): void;
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

const loadWordSplat = (offset: number): Code => [...simd(9), 2, ...unsigned(offset)];
/** The bytes of two vectors in turn: those of their lower halves from 0 on, of their upper halves from 8 on. */
const inTurn = (from: number): Code => [
  ...simd(13),
  ...Array.from({ length: 8 }, (_, index) => [from + index, 16 + from + index]).flat(),
];
const [EXTEND_LOW, EXTEND_HIGH] = [simd(0x87), simd(0x88)] as const;
/** Products of 16-bit numbers, each added to its neighbour. */
const [DOT_PAIRS, ADD_WORDS] = [simd(0xba), simd(0xae)] as const;

function addRows(): WasmFunction {
  const [rows, gains, count, width, sum, left, to] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [at, gain, bytes] = [7, 11, 13] as const;
  const four = [0, 1, 2, 3];
  const begin = [
    ...four.flatMap((row) => [...get(rows), ...loadWord(4 * row), ...set(at + row)]),
    ...[0, 1].flatMap((pair) => [...get(gains), ...loadWordSplat(4 * pair), ...set(gain + pair)]),
  ];
  /** Four numbers of each row, times its gain, added to those of the sum. */
  const quarter = (offset: number, from: number, extend: Code): Code => [
    ...[...get(to), ...get(to), ...load(offset)],
    ...[0, 1].flatMap((pair) => [
      ...[...get(bytes + 2 * pair), ...get(bytes + 2 * pair + 1), ...inTurn(from), ...extend],
      ...[...get(gain + pair), ...DOT_PAIRS, ...ADD_WORDS],
    ]),
    ...store(offset),
  ];
  const sixteen = [
    ...four.flatMap((row) => [...get(at + row), ...load(0), ...set(bytes + row), ...step(at + row, 16)]),
    ...[...quarter(0, 0, EXTEND_LOW), ...quarter(16, 0, EXTEND_HIGH)],
    ...[...quarter(32, 8, EXTEND_LOW), ...quarter(48, 8, EXTEND_HIGH)],
    ...step(to, 64),
  ];
  const group = [
    ...[...get(sum), ...set(to), ...get(width), ...i32(4), ...I32_SHIFT, ...set(left)],
    ...begin,
    ...repeat(left, sixteen),
    ...step(rows, 16),
    ...step(gains, 8),
  ];
  return { name: 'addRows', parameters: 5, words: 6, vectors: 6, code: repeat(count, group) };
}

function dots(): WasmFunction {
  const [blocks, count, vector, pairs, into, left, from] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [values, sums] = [7, 8] as const;
  /** So many sums that none waits for its own last addition. */
  const quarters = Array.from({ length: ROWS_OF_A_BLOCK / 4 }, (_, quarter) => quarter);
  const pair = [
    ...[...get(from), ...loadWordSplat(0), ...set(values)],
    ...quarters.flatMap((quarter) => [
      ...[...get(sums + quarter), ...get(blocks), ...load(16 * quarter), ...get(values)],
      ...[...DOT_PAIRS, ...ADD_WORDS, ...set(sums + quarter)],
    ]),
    ...step(from, 4),
    ...step(blocks, 4 * ROWS_OF_A_BLOCK),
  ];
  const block = [
    ...[...get(vector), ...set(from), ...get(pairs), ...set(left)],
    ...quarters.flatMap((quarter) => [...ZEROS, ...set(sums + quarter)]),
    ...repeat(left, pair),
    ...quarters.flatMap((quarter) => [...get(into), ...get(sums + quarter), ...store(16 * quarter)]),
    ...step(into, 4 * ROWS_OF_A_BLOCK),
  ];
  const vectors = 1 + quarters.length;
  return { name: 'dots', parameters: 5, words: 2, vectors, code: repeat(count, block) };
}

const FUNCTIONS = [addRows(), dots()];
