/**
 * Triton over HTTP: KServe's v2 addresses and the generate extension (triton-inference-server/server,
 * docs/protocol/extension_generate.md). Closing the connection is what cancels a request.
 */
import { describeError } from '../../../core/errors.ts';
import { eventReader } from '../../../core/sse.ts';
import { HttpClient, WireError } from '../../../http/client.ts';
import { PulledResponse } from '../../../http/pulled-response.ts';
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
import { inputsAsJson, type Outputs, outputsFromJson } from './tensors.ts';

/** No limit: the longest time of a timer. */
const NO_LIMIT = 2 ** 31 - 1;

export class HttpServer implements TritonServer {
  readonly protocol = 'http';
  readonly #client: HttpClient;
  /** For loading a model, which is silent until it is done. */
  readonly #patient: HttpClient;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param url http:// or https://, with the path that the server's own lie below */
  constructor(url: URL, { headers, restrictedApi, ca, proxy }: Access, { connect, first, idle }: Deadlines) {
    this.#client = new HttpClient(url, { connect, head: first, idle }, { ca, proxy });
    this.#patient = new HttpClient(url, { connect, head: NO_LIMIT, idle: NO_LIMIT }, { ca, proxy });
    this.#base = url.pathname.replace(/(?<!\/)\/+$/, '');
    this.#headers = lowerCase({ ...headers, ...restrictedApi });
  }

  serverReady(signal: AbortSignal): Promise<boolean> {
    return this.#isReady('/v2/health/ready', signal);
  }

  serverMetadata(signal: AbortSignal): Promise<ServerMetadata> {
    return this.#ask('GET', '/v2', signal);
  }

  modelReady(model: string, signal: AbortSignal): Promise<boolean> {
    return this.#isReady(`${modelPath(model)}/ready`, signal);
  }

  modelMetadata(model: string, signal: AbortSignal): Promise<ModelMetadata> {
    return this.#ask('GET', modelPath(model), signal);
  }

  async modelConfig(model: string, signal: AbortSignal): Promise<ModelConfig> {
    const config = await this.#ask<ConfigJson>('GET', `${modelPath(model)}/config`, signal);
    const entries = Object.entries(config.parameters ?? {});
    return {
      decoupled: config.model_transaction_policy?.decoupled ?? false,
      parameters: Object.fromEntries(entries.map(([key, value]) => [key, value.string_value])),
    };
  }

  async repositoryIndex(signal: AbortSignal): Promise<readonly ModelIndex[]> {
    const list = await this.#ask<readonly Partial<ModelIndex>[]>('POST', '/v2/repository/index', signal);
    return list.map(({ name = '', version = '', state = '', reason = '' }) => ({
      name,
      version,
      state,
      reason,
    }));
  }

  async loadModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#text(this.#patient, 'POST', `${repositoryPath(model)}/load`, signal);
  }

  async unloadModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#text(this.#patient, 'POST', `${repositoryPath(model)}/unload`, signal);
  }

  async *infer(request: InferRequest, signal: AbortSignal): AsyncGenerator<Outputs, void, undefined> {
    const { model, id, inputs, decoupled } = request;
    const path = `${modelPath(model)}/${decoupled ? 'generate_stream' : 'generate'}`;
    const body = Buffer.from(JSON.stringify({ id, ...inputsAsJson(inputs) }));
    try {
      const response = await this.#send(this.#client, 'POST', path, signal, body);
      if (response.head.status !== 200) throw refusal(response.head.status, await response.bytes());
      if (decoupled) yield* events(response);
      else yield read(await response.bytes());
    } catch (error) {
      throw asServerError(error);
    }
  }

  close(): void {
    this.#client.close();
    this.#patient.close();
  }

  /** Triton answers 200 for yes and 400 for no. */
  async #isReady(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#text(this.#client, 'GET', path, signal);
      return true;
    } catch (error) {
      if (error instanceof ServerError && NOT_READY.has(error.fault)) return false;
      throw error;
    }
  }

  async #ask<Answer>(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<Answer> {
    const text = await this.#text(this.#client, method, path, signal);
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw new ServerError('garbled', `${method} ${path} answered something that is not JSON`);
    }
  }

  async #text(
    client: HttpClient,
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
  ): Promise<string> {
    try {
      const response = await this.#send(
        client,
        method,
        path,
        signal,
        Buffer.from(method === 'POST' ? '{}' : ''),
      );
      const body = await response.bytes();
      if (response.head.status !== 200) throw refusal(response.head.status, body);
      return body.toString();
    } catch (error) {
      throw asServerError(error);
    }
  }

  #send(
    client: HttpClient,
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body: Buffer,
  ): Promise<PulledResponse> {
    const headers = { 'content-type': 'application/json', ...this.#headers };
    return PulledResponse.open(client, { method, path: this.#base + path, headers, body }, signal);
  }
}

const NOT_READY: ReadonlySet<Fault> = new Set(['invalid', 'unavailable', 'not_found']);

interface ConfigJson {
  readonly parameters?: Readonly<Record<string, { readonly string_value: string }>>;
  readonly model_transaction_policy?: { readonly decoupled?: boolean };
}

function modelPath(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`;
}

function repositoryPath(model: string): string {
  return `/v2/repository/models/${encodeURIComponent(model)}`;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/**
 * One response an event. The status was fixed by the first of them, so a later failure comes as an event too. The
 * end of the body is the only mark of the last: one that is cut off throws by itself.
 */
async function* events(response: PulledResponse): AsyncGenerator<Outputs, void, undefined> {
  const arrived: Buffer[] = [];
  // Bytes are carried through the reader of events one to a character, since a response may end within a character.
  const feed = eventReader(({ data }) => arrived.push(Buffer.from(data, 'latin1')));
  for await (const piece of response.pieces()) {
    feed(piece.toString('latin1'));
    for (const event of arrived.splice(0)) yield read(event);
  }
}

function read(answer: Buffer): Outputs {
  try {
    const { outputs, error } = outputsFromJson(answer);
    if (error !== null) throw new ServerError(faultOfText(error), error);
    return outputs;
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError('garbled', `an answer that cannot be read: ${describeError(error)}`);
  }
}

/** Triton's codes as HTTP has them (src/http_server.cc); 400 stands for all it has no other number for. */
const FAULTS: Readonly<Record<number, Fault>> = {
  400: 'invalid',
  401: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  429: 'overloaded',
  501: 'unsupported',
  503: 'unavailable',
};

function refusal(status: number, body: Buffer): ServerError {
  const said = errorIn(body.toString()) || `it answered ${status}`;
  const fault = FAULTS[status] ?? 'failed';
  const vague = fault === 'invalid' || fault === 'unavailable';
  return new ServerError(vague ? faultOfText(said, fault) : fault, said);
}

/** Of `generate_stream` the error is the only event of the body, of everything else the body itself. */
function errorIn(body: string): string {
  const text = body.replace(/^data: /, '').trim();
  try {
    return String((JSON.parse(text) as { error?: unknown }).error ?? text);
  } catch {
    return text.slice(0, 500); // Not Triton's JSON: what it says is shown as it is.
  }
}

function asServerError(error: unknown): unknown {
  return error instanceof WireError ? new ServerError(error.failure, describeError(error), error) : error;
}
