/**
 * The calls of inference.proto as grpc-js wants them, and the shapes of their messages once decoded. It opens no
 * connection.
 */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const FILE = fileURLToPath(new URL('inference.proto', import.meta.url));

let loaded: ServiceDefinition | null = null;

/** Field names as in the file, 64-bit numbers as numbers, every field present. Read at first use. */
export function inferenceService(): ServiceDefinition {
  loaded ??= loadSync(FILE, { keepCase: true, longs: Number, defaults: true, oneofs: true })[
    'inference.GRPCInferenceService'
  ] as unknown as ServiceDefinition;
  return loaded;
}

export function method<Request, Response>(name: string): MethodDefinition<Request, Response> {
  return inferenceService()[name] as MethodDefinition<Request, Response>;
}

/** A value of a `parameters` map; which of the members is set says its type. */
export interface Parameter {
  readonly bool_param?: boolean;
  readonly int64_param?: number;
  readonly string_param?: string;
}

export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface InferRequestMessage {
  readonly model_name: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly inputs: readonly TensorMessage[];
  readonly raw_input_contents: readonly Buffer[];
}

export interface InferResponseMessage {
  readonly error_message: string;
  readonly infer_response: {
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly outputs: readonly TensorMessage[];
    readonly raw_output_contents: readonly Buffer[];
  } | null;
}

export interface ModelConfigMessage {
  readonly config: {
    readonly parameters: Readonly<Record<string, { readonly string_value: string }>>;
    readonly model_transaction_policy: { readonly decoupled: boolean } | null;
  } | null;
}
