/** Writes WebAssembly modules with SIMD from instructions: enough of an assembler for the inner loops of this program. */

/** The part of WebAssembly that is used; Node's types leave it out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (pages: {
    initial: number;
    maximum: number;
  }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65_536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65_536;

export interface Instance {
  /** Runs the module's functions, by name; addresses are bytes into the memory. */
  readonly exports: object;
  /** Another buffer after `grow`. */
  readonly memory: ArrayBuffer;
  /** Makes the memory hold so many bytes. @returns whether it could */
  grow(bytes: number): boolean;
}

/** Instructions, as bytes; names are those of the specification (webassembly.github.io/spec/core/binary). */
export type Code = readonly number[];

/** A function of 32-bit parameters that returns nothing; its locals of 32 bits come after them, then those of 128. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly words: number;
  readonly vectors: number;
  readonly code: Code;
}

const I32 = 0x7f;
const V128 = 0x7b;
export const get = (local: number): Code => [0x20, local];
export const set = (local: number): Code => [0x21, local];
export const tee = (local: number): Code => [0x22, local];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const loadWord = (offset: number): Code => [0x28, 2, ...unsigned(offset)];
export const [I32_ADD, I32_SUB, I32_MUL, I32_AND, I32_SHIFT] = [
  [0x6a],
  [0x6b],
  [0x6c],
  [0x71],
  [0x76],
] as const;
export const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
export const load = (offset: number): Code => [...simd(0), 3, ...unsigned(offset)];
export const store = (offset: number): Code => [...simd(11), 3, ...unsigned(offset)];
export const ZEROS: Code = [...simd(12), ...new Array<number>(16).fill(0)];

/** Adds to an address or a count. */
export const step = (local: number, by: number): Code => [
  ...get(local),
  ...i32(by),
  ...I32_ADD,
  ...set(local),
];

/** Runs the body, then counts the local down, until it is zero. */
export const repeat = (counter: number, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...[...get(counter), ...i32(1), ...I32_SUB, ...tee(counter)],
  ...[0x0d, 0, 0x0b],
];

/** Compiles functions that share one memory, which each instance brings. */
export function compile(functions: readonly WasmFunction[]): object {
  const each = <T>(encode: (one: WasmFunction, index: number) => T): T[] => functions.map(encode);
  const count = functions.length;
  const sections: readonly (readonly [number, Code])[] = [
    [1, [count, ...each(({ parameters: n }) => [0x60, n, ...new Array<number>(n).fill(I32), 0]).flat()]],
    [2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]],
    [3, [count, ...each((_, index) => index)]],
    [7, [count, ...each(({ name }, index) => [name.length, ...Buffer.from(name), 0, index]).flat()]],
    [10, [count, ...each(bodyOf).flat()]],
  ];
  const code = sections.flatMap(([id, content]) => [id, ...sized(content)]);
  return new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...code]));
}

/** @returns null where the processor or the address space does not allow it */
export function instantiate(module: () => object, bytes: number): Instance | null {
  try {
    const memory = new WebAssembly.Memory({
      initial: Math.max(1, Math.ceil(bytes / PAGE)),
      maximum: MOST_PAGES,
    });
    const { exports } = new WebAssembly.Instance(module(), { m: { m: memory } });
    return {
      exports,
      get memory() {
        return memory.buffer;
      },
      grow: (wanted) => grown(memory, wanted),
    };
  } catch {
    return null;
  }
}

function grown(
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number },
  bytes: number,
): boolean {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing <= 0) return true;
  try {
    memory.grow(missing);
    return true;
  } catch {
    return false;
  }
}

function bodyOf({ words, vectors, code }: WasmFunction): Code {
  return sized([2, words, I32, vectors, V128, ...code, 0x0b]);
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

/** LEB128. */
export function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const low = value & 127;
  const rest = value >> 7;
  const last = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
  return last ? [low] : [low | 128, ...signed(rest)];
}
