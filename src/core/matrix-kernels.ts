/**
 * The inner loops of training in WebAssembly with SIMD: four numbers in one instruction. Each rounds to single precision
 * after every step and adds in one stated order, as do the plain loops beside them, so that a model does not depend on
 * the machine it was trained on.
 */
import {
  type Code,
  compile,
  get,
  I32_ADD,
  I32_AND,
  I32_MUL,
  I32_SHIFT,
  I32_SUB,
  type Instance,
  i32,
  instantiate,
  load,
  loadWord,
  repeat,
  set,
  simd,
  step,
  store,
  type WasmFunction,
  ZEROS,
} from './wasm.ts';

/** Addresses are bytes into the memory, 16-byte aligned; counts and widths are above 0. */
export interface MatrixFunctions {
  /**
   * Squared distances between the `dimensions` floats at `vector` and each row of `count` blocks of `LANES` rows (the
   * first number of each row, then the second of each), into as many floats at `into`. Each sums over the dimensions in
   * order.
   */
  distances(vector: number, blocks: number, count: number, dimensions: number, into: number): void;
  /**
   * For `fours` groups of four: adds to the `width` floats (a multiple of 4) at `sum` the four rows whose numbers are at
   * `terms` (32 bits each), times the floats at `weights`: ((first + second) + third) + fourth, then to the sum.
   */
  gather(terms: number, weights: number, fours: number, rows: number, width: number, sum: number): void;
  /** The reverse: adds the vector, times its weight, to each of these rows, one after another. */
  scatter(terms: number, weights: number, fours: number, rows: number, width: number, vector: number): void;
  /**
   * Adds the outer products of the four rows of `width` (even) doubles at `rows` to the upper triangle of the width ×
   * width doubles at `gram`; the element left of the diagonal may be touched.
   */
  addGram(rows: number, width: number, gram: number): void;
}

/** Rows of a block of `distances`. */
export const LANES = 16;

/** The functions and the memory they work in, which one owner has at a time. */
export class MatrixKernels {
  readonly run: MatrixFunctions;
  readonly #instance: Instance;
  #owner: object | null = null;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.run = instance.exports as MatrixFunctions;
  }

  /** The memory, of at least so many bytes, for this owner alone until another claims it; null where there is too little. */
  claim(owner: object, bytes: number): ArrayBuffer | null {
    this.#owner = this.#instance.grow(bytes) ? owner : null;
    return this.#owner === null ? null : this.#instance.memory;
  }

  /** Whether what this owner laid out is still there. */
  belongsTo(owner: object): boolean {
    return this.#owner === owner;
  }
}

let module: object | undefined;
const held = new Map<string, MatrixKernels | null>();

/**
 * This thread's for one use, each with a memory of its own; null where the processor or the address space does not
 * allow it.
 */
export function matrixKernels(use: 'distances' | 'rows' | 'gram'): MatrixKernels | null {
  const known = held.get(use);
  if (known !== undefined) return known;
  const instance = instantiate(() => (module ??= compile(FUNCTIONS)), 0);
  const kernels = instance && new MatrixKernels(instance);
  held.set(use, kernels);
  return kernels;
}

const loadWordSplat = (offset: number): Code => [...simd(9), 2, offset];
const loadDoubleSplat = (offset: number): Code => [...simd(10), 3, offset];
const [ADD, SUBTRACT, MULTIPLY] = [simd(0xe4), simd(0xe5), simd(0xe6)] as const;
const [ADD_DOUBLES, MULTIPLY_DOUBLES] = [simd(0xf0), simd(0xf2)] as const;
const FOUR = [0, 1, 2, 3] as const;

function distances(): WasmFunction {
  const [vector, blocks, count, dimensions, into, left, from] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [value, difference, sums] = [7, 8, 9] as const;
  const dimension = [
    ...[...get(from), ...loadWordSplat(0), ...set(value)],
    ...FOUR.flatMap((quarter) => [
      ...[...get(value), ...get(blocks), ...load(16 * quarter), ...SUBTRACT, ...set(difference)],
      ...[...get(sums + quarter), ...get(difference), ...get(difference), ...MULTIPLY, ...ADD],
      ...set(sums + quarter),
    ]),
    ...step(from, 4),
    ...step(blocks, 4 * LANES),
  ];
  const block = [
    ...[...get(vector), ...set(from), ...get(dimensions), ...set(left)],
    ...FOUR.flatMap((quarter) => [...ZEROS, ...set(sums + quarter)]),
    ...repeat(left, dimension),
    ...FOUR.flatMap((quarter) => [...get(into), ...get(sums + quarter), ...store(16 * quarter)]),
    ...step(into, 4 * LANES),
  ];
  return { name: 'distances', parameters: 5, words: 2, vectors: 6, code: repeat(count, block) };
}

/** The part that both have: four rows and their weights at a time, then what is done with four numbers of each. */
function overRows(
  name: string,
  four: (row: number, vector: number, at: number, weight: number) => Code,
): WasmFunction {
  const [terms, weights, count, rows, width, vector, left, to] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [at, weight] = [8, 12] as const;
  const group = [
    ...FOUR.flatMap((row) => [
      ...[...get(terms), ...loadWord(4 * row), ...get(width), ...I32_MUL, ...i32(4), ...I32_MUL],
      ...[...get(rows), ...I32_ADD, ...set(at + row)],
      ...[...get(weights), ...loadWordSplat(4 * row), ...set(weight + row)],
    ]),
    ...[...get(vector), ...set(to), ...get(width), ...i32(2), ...I32_SHIFT, ...set(left)],
    ...repeat(left, [
      ...four(0, to, at, weight),
      ...FOUR.flatMap((row) => step(at + row, 16)),
      ...step(to, 16),
    ]),
    ...step(terms, 16),
    ...step(weights, 16),
  ];
  return { name, parameters: 6, words: 6, vectors: 5, code: repeat(count, group) };
}

function gather(): WasmFunction {
  return overRows('gather', (_, sum, at, weight) => [
    ...[...get(sum), ...get(sum), ...load(0)],
    ...FOUR.flatMap((row) => [
      ...[...get(at + row), ...load(0), ...get(weight + row), ...MULTIPLY],
      ...(row === 0 ? [] : ADD),
    ]),
    ...[...ADD, ...store(0)],
  ]);
}

function scatter(): WasmFunction {
  const value = 16;
  return overRows('scatter', (_, vector, at, weight) => [
    ...[...get(vector), ...load(0), ...set(value)],
    ...FOUR.flatMap((row) => [
      ...[...get(at + row), ...get(at + row), ...load(0)],
      ...[...get(value), ...get(weight + row), ...MULTIPLY, ...ADD, ...store(0)],
    ]),
  ]);
}

function addGram(): WasmFunction {
  const [rows, width, gram, bytes, done, left, from, to] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const factor = 8;
  const at = (row: number): Code => [...get(from), ...get(bytes), ...i32(row), ...I32_MUL, ...I32_ADD];
  /** Two elements of one row of the Gram matrix. */
  const pair = [
    ...[...get(to), ...get(to), ...load(0)],
    ...FOUR.flatMap((row) => [
      ...[...at(row), ...load(0), ...get(factor + row), ...MULTIPLY_DOUBLES],
      ...(row === 0 ? [] : ADD_DOUBLES),
    ]),
    ...[...ADD_DOUBLES, ...store(0)],
    ...step(from, 16),
    ...step(to, 16),
  ];
  // `done` is the byte of the diagonal element in its row; a pair begins at an even number.
  const row = [
    ...FOUR.flatMap((one) => [
      ...[...get(rows), ...get(bytes), ...i32(one), ...I32_MUL, ...I32_ADD, ...get(done), ...I32_ADD],
      ...[...loadDoubleSplat(0), ...set(factor + one)],
    ]),
    ...[...get(done), ...i32(-16), ...I32_AND, ...set(left)],
    ...[...get(rows), ...get(left), ...I32_ADD, ...set(from)],
    ...[...get(gram), ...get(left), ...I32_ADD, ...set(to)],
    ...[...get(bytes), ...get(left), ...I32_SUB, ...i32(4), ...I32_SHIFT, ...set(left)],
    ...repeat(left, pair),
    ...step(done, 8),
    ...[...get(gram), ...get(bytes), ...I32_ADD, ...set(gram)],
  ];
  return {
    name: 'addGram',
    parameters: 3,
    words: 5,
    vectors: 4,
    code: [
      ...[...get(width), ...i32(8), ...I32_MUL, ...set(bytes), ...i32(0), ...set(done)],
      ...repeat(width, row),
    ],
  };
}

const FUNCTIONS = [distances(), gather(), scatter(), addGram()];
