/**
 * One entry out of a zip archive (a Python wheel is one), streamed to a file without holding it in memory.
 * It knows nothing of encryption or of archives beyond 4 GiB, and says so when it meets them.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

interface Entry {
  readonly offset: number;
  readonly packed: number;
  readonly method: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** The end record is 22 bytes and a comment of at most 64 KiB. */
const TAIL = 22 + 0xffff;

export async function extractEntry(
  archive: string,
  name: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(archive, 'r');
  let range: { start: number; entry: Entry };
  try {
    const entry = await findEntry(file, name);
    range = { start: await dataStart(file, entry.offset), entry };
  } finally {
    await file.close();
  }
  const { start, entry } = range;
  const inflate = entry.method === DEFLATED ? createInflateRaw() : new PassThrough();
  const source = createReadStream(archive, { start, end: start + entry.packed - 1, highWaterMark: 1 << 18 });
  await pipeline(source, inflate, createWriteStream(target), { signal });
}

async function findEntry(file: FileHandle, name: string): Promise<Entry> {
  const { size } = await file.stat();
  const tail = await bytes(file, Math.max(0, size - TAIL), Math.min(size, TAIL));
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || tail.readUInt32LE(end) !== END) throw new Error('not a zip archive');
  const directory = await bytes(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    const found = directory.toString('utf8', at + 46, at + 46 + nameLength);
    if (found === name) return readEntry(directory, at);
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no entry ${name}`);
}

function readEntry(directory: Buffer, at: number): Entry {
  const method = directory.readUInt16LE(at + 10);
  const entry = { method, packed: directory.readUInt32LE(at + 20), offset: directory.readUInt32LE(at + 42) };
  const encrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
  const large = entry.packed === 0xffffffff || entry.offset === 0xffffffff;
  if (encrypted || large || (method !== STORED && method !== DEFLATED)) {
    throw new Error('the archive entry is encrypted, beyond 4 GiB, or of an unknown compression');
  }
  return entry;
}

async function dataStart(file: FileHandle, offset: number): Promise<number> {
  const local = await bytes(file, offset, 30);
  if (local.readUInt32LE(0) !== LOCAL) throw new Error('the archive is damaged');
  return offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
}

async function bytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new Error('the archive is cut short');
  return buffer;
}
