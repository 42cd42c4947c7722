/** The two services as grpc-js wants them, and the shapes of their messages once decoded. It opens no connection. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { grpcService } from '../../core/grpc-service.ts';

export const EXT_PROC_SERVICE = 'envoy.service.ext_proc.v3.ExternalProcessor';
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** Field names as in the files; absent fields are undefined. */
export function extProcService(): ServiceDefinition {
  return grpcService(new URL('external-processor.proto', import.meta.url), EXT_PROC_SERVICE);
}

export function healthService(): ServiceDefinition {
  return grpcService(new URL('health.proto', import.meta.url), HEALTH_SERVICE);
}

/** `BodySendMode` of Envoy, as far as it matters here. */
export const BODY_MODE = { none: 0, streamed: 1, buffered: 2, fullDuplex: 4 } as const;

/** `HeaderSendMode` of Envoy. */
export const SEND = 1;

/** `google.protobuf.Struct`, of which only texts and lists of texts are read and written. */
export interface Struct {
  readonly fields?: Readonly<Record<string, Value>>;
}
interface Value {
  readonly stringValue?: string;
  readonly structValue?: Struct;
  readonly listValue?: { readonly values?: readonly Value[] };
}

export interface HeaderMap {
  readonly headers?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly raw_value?: Buffer;
  }[];
}
export interface HttpHeaders {
  readonly headers?: HeaderMap;
  readonly end_of_stream?: boolean;
}
interface HttpBody {
  readonly body?: Buffer;
  readonly end_of_stream?: boolean;
}

/** One of the first six is set, and `request` names it. */
export interface ProcessingRequest {
  readonly request?: Exclude<keyof ProcessingRequest, 'request'>;
  readonly request_headers?: HttpHeaders;
  readonly response_headers?: HttpHeaders;
  readonly request_body?: HttpBody;
  readonly response_body?: HttpBody;
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, Struct>> };
  readonly attributes?: Readonly<Record<string, Struct>>;
  readonly protocol_config?: { readonly request_body_mode?: number; readonly response_body_mode?: number };
}

export interface HeaderMutation {
  readonly set_headers: readonly {
    readonly header: { readonly key: string; readonly raw_value: Buffer };
    readonly append: { readonly value: false };
  }[];
  readonly remove_headers: readonly string[];
}

export interface CommonResponse {
  readonly header_mutation?: HeaderMutation;
  readonly body_mutation?:
    | { readonly body: Buffer }
    | { readonly streamed_response: { readonly body: Buffer; readonly end_of_stream: boolean } };
  readonly clear_route_cache?: boolean;
}

interface Changed {
  readonly response: CommonResponse;
}

/** One field is set, and `dynamic_metadata` beside it. */
export interface ProcessingResponse {
  readonly request_headers?: Changed;
  readonly response_headers?: Changed;
  readonly request_body?: Changed;
  readonly response_body?: Changed;
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly immediate_response?: {
    readonly status: { readonly code: number };
    readonly headers: HeaderMutation;
    readonly body: Buffer;
    readonly details: string;
  };
  readonly dynamic_metadata?: Struct;
  /** What else of this request's answer is to be shown; a mode that is left out is none. */
  readonly mode_override?: { readonly response_body_mode: number; readonly response_trailer_mode: number };
}
