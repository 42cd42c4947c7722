/**
 * The safetensors container (github.com/huggingface/safetensors, format 0.x): eight bytes of header length, a JSON
 * header, raw little-endian arrays.
 */
import { UserError } from './errors.ts';

export type Tensor =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'U32'; readonly shape: readonly number[]; readonly data: Uint32Array }
  | { readonly dtype: 'I8'; readonly shape: readonly number[]; readonly data: Int8Array };

interface Arrays {
  F32: Float32Array;
  U32: Uint32Array;
  I8: Int8Array;
}

/** The array of this name and type. @throws UserError when it is missing */
export function arrayOf<D extends keyof Arrays>(
  tensors: Readonly<Record<string, Tensor>>,
  name: string,
  dtype: D,
): Arrays[D] {
  const tensor = tensors[name];
  if (tensor?.dtype !== dtype) throw new UserError(`it is damaged: the array ${name} is missing`);
  return tensor.data as Arrays[D];
}

/** An array as a tensor, flat unless a shape is given. */
export function floats(data: Float32Array, ...shape: number[]): Tensor {
  return { dtype: 'F32', shape: shape.length > 0 ? shape : [data.length], data };
}

export function integers(data: Uint32Array): Tensor {
  return { dtype: 'U32', shape: [data.length], data };
}

export interface Container {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** The format's own bound on the header. */
const MAX_HEADER = 100_000_000;
const ALIGNMENT = 8;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function writeContainer(container: Container): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: container.metadata };
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of Object.entries(container.tensors)) {
    const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    header[name] = {
      dtype: tensor.dtype,
      shape: tensor.shape,
      data_offsets: [offset, offset + bytes.length],
    };
    pieces.push(bytes);
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(json, 8);
  let at = 8 + padded;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

/** @throws UserError when the bytes are not a safetensors file or are truncated */
export function readContainer(bytes: Uint8Array): Container {
  const { header, data } = splitHeader(bytes);
  const { __metadata__: metadata, ...entries } = header;
  const tensors: Record<string, Tensor> = {};
  for (const [name, entry] of Object.entries(entries)) tensors[name] = readTensor(name, entry as Entry, data);
  return { metadata: stringsOf(metadata), tensors };
}

function splitHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8)
    throw new UserError(`it is truncated or not a safetensors file: only ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length < 2 || length > MAX_HEADER || (bytes.length > 8 && bytes[8] !== 0x7b)) {
    throw new UserError('it is not a safetensors file');
  }
  if (8 + length > bytes.length) throw new UserError('it is truncated: the header is incomplete');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (error) {
    throw new UserError('it is damaged: the header is not valid JSON', { cause: error });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new UserError('it is damaged: the header is not an object');
  }
  return { header: header as Record<string, unknown>, data: bytes.subarray(8 + length) };
}

function stringsOf(metadata: unknown): Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null) return {};
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
}

function readTensor(name: string, entry: Entry, data: Uint8Array): Tensor {
  const [from, to] = Array.isArray(entry?.data_offsets) ? entry.data_offsets : [Number.NaN, Number.NaN];
  const width = entry?.dtype === 'I8' ? 1 : 4;
  const count = Array.isArray(entry?.shape) ? entry.shape.reduce((a, b) => a * b, 1) : Number.NaN;
  if (!(from >= 0) || to - from !== count * width)
    throw new UserError(`it is damaged: tensor ${name} has invalid data offsets`);
  if (to > data.length) throw new UserError(`it is truncated: tensor ${name} is incomplete`);
  // Copied, because the arrays must start at a multiple of their element size; not by slice, which Buffer overrides.
  const { buffer } = new Uint8Array(data.subarray(from, to));
  if (entry.dtype === 'F32') return { dtype: 'F32', shape: entry.shape, data: new Float32Array(buffer) };
  if (entry.dtype === 'U32') return { dtype: 'U32', shape: entry.shape, data: new Uint32Array(buffer) };
  if (entry.dtype === 'I8') return { dtype: 'I8', shape: entry.shape, data: new Int8Array(buffer) };
  throw new UserError(`it holds a tensor of an unsupported type: ${entry.dtype}`);
}
