/**
 * Asks whether Triton speaks gRPC at an address, and what it serves: three unary calls of KServe's protocol without
 * arguments worth a client. It sends no request for text.
 *
 * Frames: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. Field numbers: grpc_service.proto of
 * triton-inference-server/common (ServerMetadataResponse name 1, version 2; RepositoryIndexResponse models 1 with name 1,
 * state 3; ModelMetadataRequest name 1; ModelMetadataResponse inputs 4 with name 1).
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { describeError } from '../../core/errors.ts';
import type { Sighting } from './recognise.ts';

const SERVICE = '/inference.GRPCInferenceService/';
/** Bytes before a message: whether it is compressed, and its length. */
const PREFIX = 5;

/** @param base `http://host:port` of a server without TLS. Never rejects. */
export async function probeGrpc(base: URL, within: number): Promise<Sighting> {
  const session = connect(base);
  let failure: Error | null = null;
  session.on('error', (error) => {
    failure = error;
  });
  const limit = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), within).unref();
  });
  try {
    return (await Promise.race([look(session), limit])) ?? { state: 'silent', detail: 'no answer in time' };
  } catch (error) {
    const code = (failure as NodeJS.ErrnoException | null)?.code;
    return code === 'ECONNREFUSED'
      ? { state: 'nothing', detail: describeError(failure) }
      : {
          state: 'foreign',
          detail: `not a gRPC server of KServe's protocol (${describeError(failure ?? error)})`,
        };
  } finally {
    session.destroy();
  }
}

async function look(session: ClientHttp2Session): Promise<Sighting> {
  const server = fieldsOf(await call(session, 'ServerMetadata', Buffer.alloc(0)));
  const name = textOf(server, 1);
  if (name !== 'triton') return { state: 'foreign', detail: `a KServe server that calls itself '${name}'` };
  const index = fieldsOf(
    await call(session, 'RepositoryIndex', Buffer.alloc(0)).catch(() => Buffer.alloc(0)),
  );
  const models = index
    .filter(([number]) => number === 1)
    .map(([, model]) => fieldsOf(model))
    .filter((model) => textOf(model, 3) === 'READY')
    .map((model) => textOf(model, 1));
  return {
    state: 'engine',
    engine: 'Triton',
    version: textOf(server, 2) || null,
    models: await textModels(session, [...new Set(models)]),
    apis: ['kserve'],
  };
}

/** Those that take text: preprocessing and postprocessing steps are models too. */
async function textModels(session: ClientHttp2Session, names: readonly string[]): Promise<string[]> {
  const takesText = async (name: string): Promise<boolean> => {
    const request = Buffer.concat([Buffer.from([(1 << 3) | 2]), lengthOf(name), Buffer.from(name)]);
    const metadata = fieldsOf(await call(session, 'ModelMetadata', request).catch(() => Buffer.alloc(0)));
    const inputs = metadata.filter(([number]) => number === 4).map(([, input]) => textOf(fieldsOf(input), 1));
    return inputs.includes('text_input');
  };
  const taken = await Promise.all(names.map(takesText));
  return names.filter((_, index) => taken[index]);
}

/** The response's message. Rejects for another status than OK. */
function call(session: ClientHttp2Session, method: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': SERVICE + method,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const pieces: Buffer[] = [];
    let status: string | null = null;
    const read = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('close', () => {
      const frame = Buffer.concat(pieces);
      if (status === '0' && frame.length >= PREFIX) resolve(frame.subarray(PREFIX));
      else reject(new Error(status === null ? 'no gRPC status' : `gRPC status ${status}`));
    });
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}

type Field = readonly [number: number, value: Buffer];

/** The length-delimited fields of a Protocol Buffers message; the others are passed over, and so is a broken rest. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.length) {
    const key = varint();
    const wireType = key & 7;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      fields.push([key >>> 3, message.subarray(at, at + length)]);
      at += length;
    } else break;
  }
  return fields;
}

function textOf(fields: readonly Field[], number: number): string {
  return fields.find(([found]) => found === number)?.[1].toString('utf8') ?? '';
}

/** The length of a name in bytes as a varint. */
function lengthOf(name: string): Buffer {
  const bytes: number[] = [];
  let rest = Buffer.byteLength(name);
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
