/**
 * Triton over gRPC: one connection, and one ModelStreamInfer call for each request, because cancelling a call is what
 * cancels the requests in it (triton-inference-server/server, src/grpc/infer_handler.h).
 */
import {
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { HttpProxy } from '../../../http/proxy.ts';
import {
  type InferRequestMessage,
  type InferResponseMessage,
  type ModelConfigMessage,
  method,
} from './protocol.ts';
import {
  type Access,
  type Deadlines,
  type Fault,
  faultOfText,
  type InferRequest,
  type ModelConfig,
  type ModelIndex,
  type ModelMetadata,
  ServerError,
  type ServerMetadata,
  type TritonServer,
} from './server.ts';
import { decodeRaw, encodeRaw, type Outputs } from './tensors.ts';

const CHANNEL = {
  // Prompts and answers have no natural bound; what a client may send is bounded where it comes in.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // An engine that restarts is found again within seconds.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // Whether there is a proxy is decided as for every other expert, not by the library's own reading of the environment.
  'grpc.enable_http_proxy': 0,
} as const;

/** As the library itself sets them for a proxy that it has found. */
function tunnelled(server: string, { authorization }: HttpProxy): Readonly<Record<string, string>> {
  const pair = authorization === null ? null : Buffer.from(authorization.replace('Basic ', ''), 'base64');
  return {
    'grpc.http_connect_target': `dns:${server}`,
    'grpc.default_authority': server,
    ...(pair === null ? {} : { 'grpc.http_connect_creds': pair.toString() }),
  };
}

export class GrpcServer implements TritonServer {
  readonly protocol = 'grpc';
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #deadlines: Deadlines;

  /** @param url grpc:// or, encrypted, grpcs:// */
  constructor(url: URL, access: Access, deadlines: Deadlines) {
    const secure = url.protocol === 'grpcs:';
    const server = `${url.hostname}:${url.port || 8001}`;
    const { proxy } = access;
    this.#client = new Client(
      proxy ? `${proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host}:${proxy.port}` : server,
      secure
        ? credentials.createSsl(access.ca ? Buffer.from(access.ca) : null)
        : credentials.createInsecure(),
      proxy ? { ...CHANNEL, ...tunnelled(server, proxy) } : CHANNEL,
    );
    this.#metadata = metadataOf(access);
    this.#deadlines = deadlines;
  }

  async serverReady(signal: AbortSignal): Promise<boolean> {
    return (await this.#unary<object, { ready: boolean }>('ServerReady', {}, signal)).ready;
  }

  serverMetadata(signal: AbortSignal): Promise<ServerMetadata> {
    return this.#unary('ServerMetadata', {}, signal);
  }

  async modelReady(name: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#unary<object, { ready: boolean }>('ModelReady', { name }, signal)).ready;
  }

  modelMetadata(name: string, signal: AbortSignal): Promise<ModelMetadata> {
    return this.#unary('ModelMetadata', { name }, signal);
  }

  async modelConfig(name: string, signal: AbortSignal): Promise<ModelConfig> {
    const { config } = await this.#unary<object, ModelConfigMessage>('ModelConfig', { name }, signal);
    const entries = Object.entries(config?.parameters ?? {});
    return {
      decoupled: config?.model_transaction_policy?.decoupled ?? false,
      parameters: Object.fromEntries(entries.map(([key, value]) => [key, value.string_value])),
    };
  }

  async repositoryIndex(signal: AbortSignal): Promise<readonly ModelIndex[]> {
    return (await this.#unary<object, { models: ModelIndex[] }>('RepositoryIndex', {}, signal)).models;
  }

  async loadModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#unary('RepositoryModelLoad', { model_name: model }, signal, null);
  }

  async unloadModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#unary('RepositoryModelUnload', { model_name: model }, signal, null);
  }

  async *infer(request: InferRequest, signal: AbortSignal): AsyncGenerator<Outputs, void, undefined> {
    const { path, requestSerialize, responseDeserialize } = method<InferRequestMessage, InferResponseMessage>(
      'ModelStreamInfer',
    );
    signal.throwIfAborted();
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      inferMetadata(this.#metadata),
    );
    // The cancellation of an abandoned call is not reported.
    call.on('error', () => {});
    const watch = new Watch(call, this.#client, this.#deadlines);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      call.write(inferMessage(request));
      call.end();
      yield* this.#responses(call, watch);
    } catch (error) {
      throw watch.expired ?? asServerError(error);
    } finally {
      watch.end();
      signal.removeEventListener('abort', cancel);
      // Without effect on a call that has ended by itself.
      call.cancel();
    }
  }

  async *#responses(
    call: ClientDuplexStream<InferRequestMessage, InferResponseMessage>,
    watch: Watch,
  ): AsyncGenerator<Outputs, void, undefined> {
    let final = false;
    watch.expectFirst();
    for await (const message of call as AsyncIterable<InferResponseMessage>) {
      watch.end();
      if (message.error_message)
        throw new ServerError(faultOfText(message.error_message), message.error_message);
      const response = message.infer_response;
      final ||= response?.parameters.triton_final_response?.bool_param === true;
      if (response && response.outputs.length > 0) yield outputsOf(response);
      if (final) return;
      // Restarted here, since the reader's own time is not silence of the server.
      watch.expectNext();
    }
    throw new ServerError('cut', 'the stream ended before the final response');
  }

  close(): void {
    this.#client.close();
  }

  /** @param limit milliseconds; null for none */
  #unary<Request, Response>(
    name: string,
    message: Request,
    signal: AbortSignal,
    limit: number | null = this.#deadlines.first,
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method<Request, Response>(name);
    const late = limit === null ? null : AbortSignal.timeout(limit);
    const stop = late ? AbortSignal.any([signal, late]) : signal;
    return new Promise((resolve, reject) => {
      stop.throwIfAborted();
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        this.#metadata,
        {},
        (error, response) => {
          stop.removeEventListener('abort', cancel);
          if (!error) resolve(response!);
          else if (late?.aborted)
            reject(new ServerError('timeout', `${name} took longer than ${limit! / 1000} s`));
          else reject(asServerError(error));
        },
      );
      const cancel = (): void => call.cancel();
      stop.addEventListener('abort', cancel, { once: true });
    });
  }
}

/** The deadlines of one call: cancels it when a connection, its first or its next response does not come in time. */
class Watch {
  /** Why the call was cancelled, if a deadline did it. */
  expired: ServerError | null = null;
  readonly #call: { cancel(): void };
  readonly #client: Client;
  readonly #deadlines: Deadlines;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: { cancel(): void }, client: Client, deadlines: Deadlines) {
    this.#call = call;
    this.#client = client;
    this.#deadlines = deadlines;
  }

  expectFirst(): void {
    const { connect, first } = this.#deadlines;
    this.#arm(Math.min(connect, first), () => {
      if (this.#client.getChannel().getConnectivityState(false) !== connectivityState.READY) {
        this.#expire('unreachable', `no connection within ${connect / 1000} s`);
      } else {
        this.#arm(first - connect, () => this.#expire('timeout', `no response for ${first / 1000} s`));
      }
    });
  }

  expectNext(): void {
    const { idle } = this.#deadlines;
    this.#arm(idle, () => this.#expire('timeout', `no response for ${idle / 1000} s`));
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #arm(milliseconds: number, late: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(late, Math.max(0, milliseconds));
  }

  #expire(fault: Fault, message: string): void {
    this.expired = new ServerError(fault, message);
    this.#call.cancel();
  }
}

/** Keys of restricted protocols go under Triton's prefix. */
function metadataOf({ headers, restrictedApi }: Access): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  for (const [name, value] of Object.entries(restrictedApi)) {
    metadata.set(`triton-grpc-protocol-${name}`, value);
  }
  return metadata;
}

/** Asks Triton to end the stream with a status when a request fails, which says more than an error message. */
function inferMetadata(basis: Metadata): Metadata {
  const metadata = basis.clone();
  metadata.set('triton_grpc_error', 'true');
  return metadata;
}

function inferMessage({ model, id, inputs }: InferRequest): InferRequestMessage {
  return {
    model_name: model,
    id,
    // Without it a model may mark its last response only in a message that is never sent.
    parameters: { triton_enable_empty_final_response: { bool_param: true } },
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_input_contents: inputs.map(encodeRaw),
  };
}

function outputsOf(response: NonNullable<InferResponseMessage['infer_response']>): Outputs {
  const outputs = new Map<string, readonly (Buffer | number | boolean)[]>();
  for (const [index, { name, datatype }] of response.outputs.entries()) {
    const raw = response.raw_output_contents[index];
    const values = raw && decodeRaw(datatype, raw);
    if (values) outputs.set(name, values);
  }
  return outputs;
}

const FAULTS: Readonly<Partial<Record<number, Fault>>> = {
  [status.CANCELLED]: 'cut',
  [status.INVALID_ARGUMENT]: 'invalid',
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.NOT_FOUND]: 'not_found',
  [status.PERMISSION_DENIED]: 'forbidden',
  [status.UNAUTHENTICATED]: 'forbidden',
  [status.RESOURCE_EXHAUSTED]: 'overloaded',
  [status.UNIMPLEMENTED]: 'unsupported',
};

function asServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  const { code, details, message } = error as ServiceError;
  const text = details || message;
  const fault = code === status.UNAVAILABLE ? unavailable(text) : (FAULTS[code] ?? 'failed');
  return new ServerError(fault, reasonOf(text), fault === 'unreachable' ? withSystemCode(text) : error);
}

/** grpc-js tells the system's code only within its message. */
function withSystemCode(details: string): Error {
  const code = /name resolution/i.test(details) ? 'ENOTFOUND' : /\bE[A-Z]{4,}\b/.exec(details)?.[0];
  return Object.assign(new Error(details), code === undefined ? {} : { code });
}

/** Shortens grpc-js's message of a failed connection. */
function reasonOf(details: string): string {
  return (
    /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note:/s.exec(details)?.[1] ??
    details
  );
}

/** UNAVAILABLE: a lost connection in grpc-js; in Triton a model not loaded, a full queue, or a missing key. */
function unavailable(details: string): Fault {
  if (/restricted/i.test(details)) return 'forbidden';
  if (/maximum queue size/i.test(details)) return 'overloaded';
  if (/no connection established|name resolution|connection dropped/i.test(details)) return 'unreachable';
  if (/ECONN|EPIPE|GOAWAY|socket|stream/i.test(details)) return 'cut';
  return 'unavailable';
}
