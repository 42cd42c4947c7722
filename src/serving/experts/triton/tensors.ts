/**
 * Tensors as they stand in Triton's messages: their values to raw bytes and back, and to the JSON of `generate`.
 */
import { isUtf8 } from 'node:buffer';

export type Datatype = 'BYTES' | 'BOOL' | 'INT32' | 'INT64' | 'UINT32' | 'UINT64' | 'FP32';

/** How a model's metadata describes one of its tensors; -1 stands for any size, a batch dimension included. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export type Scalar = string | number | boolean;

export interface InputTensor extends TensorSpec {
  readonly values: readonly Scalar[];
}

/** Output values by tensor name; BYTES elements are bytes, because a character may be cut between two responses. */
export type Outputs = ReadonlyMap<string, readonly (Buffer | number | boolean)[]>;

/** One value or a list of them, laid out as the model declares it: `[n]`, with a batch dimension `[1, n]`. */
export function inputTensor(spec: TensorSpec, values: readonly Scalar[]): InputTensor {
  const shape: number[] = Array.from({ length: Math.max(spec.shape.length, 1) }, () => 1);
  shape[shape.length - 1] = values.length;
  return { name: spec.name, datatype: spec.datatype, shape, values };
}

const WIDTH: Readonly<Record<Exclude<Datatype, 'BYTES'>, number>> = {
  BOOL: 1,
  INT32: 4,
  UINT32: 4,
  FP32: 4,
  INT64: 8,
  UINT64: 8,
};

/**
 * The tensor's values as they go into `raw_input_contents`: little-endian, row by row; a BYTES element is its length
 * in four bytes and then itself.
 * @throws Error for a datatype that no dialect takes
 */
export function encodeRaw({ name, datatype, values }: InputTensor): Buffer {
  if (datatype === 'BYTES') return Buffer.concat(values.flatMap((value) => bytesElement(String(value))));
  const width = WIDTH[datatype as keyof typeof WIDTH];
  if (width === undefined)
    throw new Error(`input '${name}' is of type ${datatype}, which is not written here`);
  const raw = Buffer.alloc(width * values.length);
  for (const [index, value] of values.entries()) write(raw, datatype, index * width, Number(value));
  return raw;
}

function bytesElement(text: string): readonly [Buffer, Buffer] {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}

function write(raw: Buffer, datatype: string, at: number, value: number): void {
  if (datatype === 'BOOL') raw.writeUInt8(value, at);
  else if (datatype === 'INT32') raw.writeInt32LE(value, at);
  else if (datatype === 'UINT32') raw.writeUInt32LE(value, at);
  else if (datatype === 'FP32') raw.writeFloatLE(value, at);
  else if (datatype === 'INT64') raw.writeBigInt64LE(BigInt(value), at);
  else raw.writeBigUInt64LE(BigInt(value), at);
}

/**
 * What `raw_output_contents` holds of one tensor; null for a datatype that no dialect reads.
 * @throws RangeError when the bytes break off within an element
 */
export function decodeRaw(datatype: string, raw: Buffer): readonly (Buffer | number | boolean)[] | null {
  if (datatype === 'BYTES') return bytesElements(raw);
  const width = WIDTH[datatype as keyof typeof WIDTH];
  if (width === undefined) return null;
  return Array.from({ length: raw.length / width }, (_, index) => read(raw, datatype, index * width));
}

function bytesElements(raw: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < raw.length; ) {
    const end = at + 4 + raw.readUInt32LE(at);
    if (end > raw.length) throw new RangeError('a BYTES tensor breaks off within an element');
    elements.push(raw.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

function read(raw: Buffer, datatype: string, at: number): number | boolean {
  if (datatype === 'BOOL') return raw.readUInt8(at) !== 0;
  if (datatype === 'INT32') return raw.readInt32LE(at);
  if (datatype === 'UINT32') return raw.readUInt32LE(at);
  if (datatype === 'FP32') return raw.readFloatLE(at);
  return Number(datatype === 'INT64' ? raw.readBigInt64LE(at) : raw.readBigUInt64LE(at));
}

/** The inputs as members of a `generate` body: one value plainly, several as a list. */
export function inputsAsJson(inputs: readonly InputTensor[]): Record<string, unknown> {
  return Object.fromEntries(
    inputs.map(({ name, values }) => [name, values.length === 1 ? values[0] : values]),
  );
}

/**
 * The outputs in one answer of `generate`. Triton writes BYTES into JSON as they are, so an answer that ends within a
 * character is no valid UTF-8; its bytes are kept all the same.
 * @throws SyntaxError when it is no JSON object
 */
export function outputsFromJson(answer: Buffer): { outputs: Outputs; error: string | null } {
  const encoding = isUtf8(answer) ? 'utf8' : 'latin1';
  const json: unknown = JSON.parse(answer.toString(encoding));
  if (typeof json !== 'object' || json === null) throw new SyntaxError('an answer that is no JSON object');
  const outputs = new Map<string, (Buffer | number | boolean)[]>();
  for (const [name, value] of Object.entries(json)) {
    const list: unknown[] = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
    outputs.set(
      name,
      list.map((one) => (typeof one === 'string' ? Buffer.from(one, encoding) : (one as number))),
    );
  }
  const { error } = json as { error?: unknown };
  return { outputs, error: typeof error === 'string' ? error : null };
}
