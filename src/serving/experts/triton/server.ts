/**
 * A Triton server as the expert uses it, whichever of its two protocols carries it: what it says of itself and its
 * models, its repository, and one generation as a sequence of responses.
 */
import type { HttpProxy } from '../../../http/proxy.ts';
import type { InputTensor, Outputs, TensorSpec } from './tensors.ts';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface ModelConfig {
  /** Whether one request may have several responses; without it nothing streams. */
  readonly decoupled: boolean;
  readonly parameters: Readonly<Record<string, string>>;
}

/** One version of one model in the repository. `state` is empty for what was never loaded. */
export interface ModelIndex {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING' | '';
  readonly reason: string;
}

export interface InferRequest {
  readonly model: string;
  readonly id: string;
  readonly inputs: readonly InputTensor[];
  /** From the model's config: how many responses there may be. */
  readonly decoupled: boolean;
}

/** What is sent along with every call. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  /** Keys and values of Triton's restricted protocols. */
  readonly restrictedApi: Readonly<Record<string, string>>;
  /** Certificates of the authority that signed the server's, in PEM; those the system knows when absent. */
  readonly ca?: string | undefined;
  /** Between us and the server; absent or null for nobody. */
  readonly proxy?: HttpProxy | null;
}

/** Milliseconds. */
export interface Deadlines {
  /** To open a connection. */
  readonly connect: number;
  /** To the first response. */
  readonly first: number;
  /** Of silence between two responses. */
  readonly idle: number;
}

/**
 * Every call rejects with a `ServerError`, unless its signal has fired.
 */
export interface TritonServer {
  readonly protocol: 'grpc' | 'http';
  serverReady(signal: AbortSignal): Promise<boolean>;
  serverMetadata(signal: AbortSignal): Promise<ServerMetadata>;
  modelReady(model: string, signal: AbortSignal): Promise<boolean>;
  modelMetadata(model: string, signal: AbortSignal): Promise<ModelMetadata>;
  modelConfig(model: string, signal: AbortSignal): Promise<ModelConfig>;
  repositoryIndex(signal: AbortSignal): Promise<readonly ModelIndex[]>;
  /** Resolves when the model is loaded, which may take minutes. */
  loadModel(model: string, signal: AbortSignal): Promise<void>;
  /** Resolves when unloading has begun; the index says when it is done. */
  unloadModel(model: string, signal: AbortSignal): Promise<void>;
  /**
   * The responses of one request as they come, read only as fast as they are asked for. Ends cleanly when Triton has
   * marked the last one; a stream that ends without it throws. The signal cancels the request at the server.
   */
  infer(request: InferRequest, signal: AbortSignal): AsyncIterable<Outputs>;
  close(): void;
}

/** What went wrong between us and the server, before it is told to a client or an operator. */
export type Fault =
  | 'unreachable'
  | 'timeout'
  | 'cut'
  | 'garbled'
  | 'not_found'
  | 'unavailable'
  | 'invalid'
  | 'forbidden'
  | 'unsupported'
  | 'overloaded'
  | 'failed';

export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly fault: Fault;

  constructor(fault: Fault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}

/** What an error's text says, where the protocol carries nothing else. */
export function faultOfText(message: string, otherwise: Fault = 'failed'): Fault {
  if (/unknown model|is not found/i.test(message)) return 'not_found';
  if (/not ready|no available versions|unavailable/i.test(message)) return 'unavailable';
  if (/maximum queue size/i.test(message)) return 'overloaded';
  if (/restricted/i.test(message)) return 'forbidden';
  return /unexpected|expected|invalid|shape|input/i.test(message) ? 'invalid' : otherwise;
}
