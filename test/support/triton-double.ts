/**
 * A stand-in for a Triton server, by gRPC and by HTTP, for what a real one does rarely or never on demand: streams
 * without an end, engines that count oddly, errors of every form. The gRPC side is the adapter's own .proto; that it
 * is what NVIDIA's client speaks too is shown in test/engines/triton.test.ts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import {
  type InferRequestMessage,
  type InferResponseMessage,
  inferenceService,
} from '../../src/serving/experts/triton/protocol.ts';
import { decodeRaw, encodeRaw, type Scalar } from '../../src/serving/experts/triton/tensors.ts';
import { MODELS } from '../engines/triton/repository.ts';

/** One thing that happens on a stream. */
export type Step =
  | { readonly outputs: Readonly<Record<string, OutputValue>>; readonly final?: boolean }
  | { readonly error: string }
  /** gRPC status by number, with its text. */
  | { readonly status: number; readonly details: string }
  | { readonly raw: string }
  | 'final'
  | 'end'
  | 'cut'
  | 'silence';

/** A text, bytes that may end within a character, or whole numbers. */
export type OutputValue = string | Buffer | readonly number[];

export interface Asked {
  readonly model: string;
  /** Inputs by name, as values. */
  readonly inputs: Readonly<Record<string, readonly (string | number | boolean)[]>>;
}

export interface TritonDouble {
  readonly grpc: string;
  readonly http: string;
  readonly asked: Asked[];
  /** Headers and metadata of every call, by lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Streams that their reader gave up. */
  cancelled(): number;
  close(): Promise<void>;
}

export interface DoubleSettings {
  readonly steps: (asked: Asked) => readonly Step[];
  /** Model name → which of the four it is like; none: its inputs are `strange`. */
  readonly models?: Readonly<Record<string, keyof typeof MODELS | 'strange'>>;
  readonly decoupled?: boolean;
  readonly parameters?: Readonly<Record<string, string>>;
  /** State of every model in the index. */
  readonly state?: string;
  /** Inputs left out of the metadata. */
  readonly without?: readonly string[];
  /** Of its gRPC side, in PEM; plain when absent. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function tritonDouble(settings: DoubleSettings): Promise<TritonDouble> {
  const shared = new Shared(settings);
  const [grpc, http] = await Promise.all([grpcSide(shared), httpSide(shared)]);
  return {
    grpc: `${settings.tls ? 'grpcs' : 'grpc'}://127.0.0.1:${grpc.port}`,
    http: `http://127.0.0.1:${http.port}`,
    asked: shared.asked,
    headers: shared.headers,
    cancelled: () => shared.cancelled,
    close: async () => {
      await Promise.all([grpc.close(), http.close()]);
    },
  };
}

class Shared {
  readonly asked: Asked[] = [];
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  readonly settings: DoubleSettings;
  cancelled = 0;

  constructor(settings: DoubleSettings) {
    this.settings = settings;
  }

  get models(): readonly string[] {
    return Object.keys(this.settings.models ?? { ensemble: 'ensemble' });
  }

  /** Null for a model that is not there. */
  metadata(name: string) {
    const like = (this.settings.models ?? { ensemble: 'ensemble' })[name];
    if (!like) return null;
    if (like === 'strange')
      return {
        name,
        versions: ['1'],
        platform: 'python',
        inputs: [tensor(['pixels', 'TYPE_FP32', [3]], 0)],
        outputs: [],
      };
    const { maxBatch, inputs, outputs } = MODELS[like];
    return {
      name,
      versions: ['1'],
      platform: 'python',
      inputs: inputs
        .filter(([input]) => !this.settings.without?.includes(input))
        .map((one) => tensor(one, maxBatch)),
      outputs: outputs.map((one) => tensor(one, maxBatch)),
    };
  }

  config(name: string) {
    const parameters = Object.entries(this.settings.parameters ?? {});
    return {
      name,
      model_transaction_policy: { decoupled: this.settings.decoupled ?? true },
      parameters: Object.fromEntries(parameters.map(([key, value]) => [key, { string_value: value }])),
    };
  }

  index() {
    const { state = 'READY' } = this.settings;
    return this.models.map((name) => ({ name, version: '1', state, reason: '' }));
  }

  get ready(): boolean {
    return (this.settings.state ?? 'READY') === 'READY';
  }
}

function tensor(
  [name, type, dims]: readonly [string, string, readonly number[], boolean?],
  maxBatch: number,
) {
  const datatype = type === 'TYPE_STRING' ? 'BYTES' : type.slice('TYPE_'.length);
  return { name, datatype, shape: maxBatch > 0 ? [-1, ...dims] : [...dims] };
}

// gRPC

async function grpcSide(shared: Shared): Promise<{ port: number; close(): Promise<void> }> {
  const server = new Server();
  const unary = (answer: (request: { name: string; model_name: string }) => object | null) => {
    return (
      call: ServerUnaryCall<{ name: string; model_name: string }, object>,
      done: (error: object | null, response?: object) => void,
    ): void => {
      shared.headers.push(call.metadata.getMap());
      const response = answer(call.request);
      if (response) done(null, response);
      else done({ code: status.NOT_FOUND, details: unknownModel(call.request.name) });
    };
  };
  server.addService(inferenceService(), {
    ServerReady: unary(() => ({ ready: true })),
    ServerLive: unary(() => ({ live: true })),
    ServerMetadata: unary(() => ({ name: 'triton', version: '2.51.0', extensions: [] })),
    ModelReady: unary(({ name }) => ({ ready: shared.ready && shared.metadata(name) !== null })),
    ModelMetadata: unary(({ name }) => shared.metadata(name)),
    ModelConfig: unary(({ name }) => (shared.metadata(name) ? { config: shared.config(name) } : null)),
    RepositoryIndex: unary(() => ({ models: shared.index() })),
    RepositoryModelLoad: unary(() => ({})),
    RepositoryModelUnload: unary(() => ({})),
    ModelStreamInfer: (call: ServerDuplexStream<InferRequestMessage, object>) => grpcStream(shared, call),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentialsOf(shared.settings), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, close: async () => server.forceShutdown() };
}

function credentialsOf({ tls }: DoubleSettings): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
  return ServerCredentials.createSsl(null, [pair]);
}

function grpcStream(shared: Shared, call: ServerDuplexStream<InferRequestMessage, object>): void {
  shared.headers.push(call.metadata.getMap());
  let over = false;
  let answered = false;
  let halfClosed = false;
  // As Triton does it: the stream is closed when the client has no more to ask and every request is answered.
  const close = (): void => {
    if (over || !answered || !halfClosed) return;
    over = true;
    call.end();
  };
  call.on('cancelled', () => {
    if (!over) shared.cancelled += 1;
    over = true;
  });
  call.on('error', () => {});
  call.on('end', () => {
    halfClosed = true;
    close();
  });
  call.on('data', (request: InferRequestMessage) => {
    const asked = { model: request.model_name, inputs: grpcInputs(request) };
    shared.asked.push(asked);
    for (const step of shared.settings.steps(asked)) {
      if (ENDS.has(typeof step === 'string' ? step : 'status' in step ? 'status' : '')) over = true;
      grpcStep(step, call);
      answered ||=
        step === 'final' ||
        (typeof step === 'object' && ('error' in step || ('outputs' in step && step.final === true)));
    }
    close();
  });
}

/** Steps after which the stream is over for the server too. */
const ENDS: ReadonlySet<string> = new Set(['end', 'cut', 'status']);

function grpcStep(step: Step, call: ServerDuplexStream<InferRequestMessage, object>): void {
  if (step === 'silence') return;
  if (step === 'end') call.end();
  else if (step === 'final') call.write(message({}, true));
  // What a server that dies leaves.
  else if (step === 'cut') call.emit('error', { code: status.UNAVAILABLE, details: 'Connection dropped' });
  else if ('error' in step) call.write({ error_message: step.error, infer_response: null });
  else if ('status' in step) call.emit('error', { code: step.status, details: step.details });
  else if ('outputs' in step) call.write(message(step.outputs, step.final ?? false));
}

function grpcInputs({ inputs, raw_input_contents: raw }: InferRequestMessage): Asked['inputs'] {
  return Object.fromEntries(
    inputs.map(({ name, datatype }, index) => [
      name,
      decodeRaw(datatype, raw[index]!)!.map((value) => (Buffer.isBuffer(value) ? value.toString() : value)),
    ]),
  );
}

function message(
  outputs: Readonly<Record<string, OutputValue>>,
  final: boolean,
): Partial<InferResponseMessage> {
  const list = Object.entries(outputs);
  return {
    error_message: '',
    infer_response: {
      parameters: { triton_final_response: { bool_param: final } },
      outputs: list.map(([name, value]) => ({
        name,
        datatype: typeof value === 'string' || Buffer.isBuffer(value) ? 'BYTES' : 'INT32',
        shape: [Array.isArray(value) ? value.length : 1],
      })),
      raw_output_contents: list.map(([name, value]) => rawOf(name, value)),
    },
  };
}

function rawOf(name: string, value: OutputValue): Buffer {
  if (Buffer.isBuffer(value)) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return Buffer.concat([length, value]);
  }
  const [datatype, values] = typeof value === 'string' ? ['BYTES', [value]] : ['INT32', value];
  return encodeRaw({ name, datatype, shape: [], values: values as readonly Scalar[] });
}

// HTTP

async function httpSide(shared: Shared): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    shared.headers.push(request.headers);
    httpAnswer(shared, request, Buffer.concat(pieces).toString(), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function httpAnswer(shared: Shared, request: IncomingMessage, body: string, response: ServerResponse): void {
  const [code, value] = httpFact(shared, request.url ?? '') ?? [];
  if (code !== undefined) {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    return;
  }
  const [, model = '', verb] = /^\/v2\/models\/([^/]+)\/(.*)$/.exec(request.url ?? '') ?? [];
  const { id: _, ...inputs } = JSON.parse(body) as Record<string, unknown>;
  const lists = Object.entries(inputs).map(([name, value]) => [name, [value].flat()]);
  const asked = { model, inputs: Object.fromEntries(lists) } as Asked;
  shared.asked.push(asked);
  response.on('close', () => {
    if (!response.writableFinished) shared.cancelled += 1;
  });
  for (const step of shared.settings.steps(asked))
    httpStep(step, model, verb === 'generate_stream', response);
}

/** Everything but generating; null for that. */
function httpFact(shared: Shared, url: string): readonly [code: number, value: unknown] | null {
  if (url === '/v2') return [200, { name: 'triton', version: '2.51.0', extensions: [] }];
  if (url === '/v2/health/ready') return [200, {}];
  if (url === '/v2/repository/index') return [200, shared.index()];
  if (url.startsWith('/v2/repository/models/')) return [200, {}];
  const [, model = '', verb = ''] = /^\/v2\/models\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  const metadata = shared.metadata(model);
  if (!metadata) return [verb === 'ready' ? 400 : 404, { error: unknownModel(model) }];
  if (verb === '') return [200, metadata];
  if (verb === 'ready') return [shared.ready ? 200 : 400, {}];
  return verb === 'config' ? [200, shared.config(model)] : null;
}

function httpStep(step: Step, model: string, stream: boolean, response: ServerResponse): void {
  if (step === 'silence') return;
  if (step === 'final' || step === 'end') response.end();
  else if (step === 'cut') response.socket?.destroySoon();
  else if ('raw' in step) httpSend(Buffer.from(step.raw), stream, response);
  else if ('status' in step) httpError(HTTP_CODES[step.status] ?? 400, step.details, response);
  else if ('error' in step) httpError(400, step.error, response);
  else {
    httpSend(jsonBytes(model, step.outputs), stream, response);
    if (step.final) response.end();
  }
}

function httpSend(value: Buffer, stream: boolean, response: ServerResponse): void {
  const type = stream ? 'text/event-stream' : 'application/json';
  if (!response.headersSent) response.writeHead(200, { 'content-type': type });
  response.write(stream ? Buffer.concat([Buffer.from('data: '), value, Buffer.from('\n\n')]) : value);
}

/** Before the first response an error has a status of its own, later it is an event. */
function httpError(code: number, error: string, response: ServerResponse): void {
  const json = JSON.stringify({ error });
  if (response.headersSent) response.end(`data: ${json}\n\n`);
  else response.writeHead(code, { 'content-type': 'application/json' }).end(json);
}

const HTTP_CODES: Readonly<Record<number, number>> = {
  [status.NOT_FOUND]: 404,
  [status.UNAVAILABLE]: 503,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/** As Triton writes it: bytes as they are, be they UTF-8 or not. */
function jsonBytes(model: string, outputs: Readonly<Record<string, OutputValue>>): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"model_name":${JSON.stringify(model)},"model_version":"1"`)];
  for (const [name, value] of Object.entries(outputs)) {
    parts.push(Buffer.from(`,${JSON.stringify(name)}:`));
    if (Buffer.isBuffer(value)) parts.push(Buffer.from('"'), value, Buffer.from('"'));
    else
      parts.push(
        Buffer.from(
          JSON.stringify(typeof value === 'string' ? value : value.length === 1 ? value[0] : value),
        ),
      );
  }
  return Buffer.concat([...parts, Buffer.from('}')]);
}

function unknownModel(name: string): string {
  return `Request for unknown model: '${name}' is not found`;
}
