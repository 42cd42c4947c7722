/** What an Envoy does to an external processor, message by message, in its place. */
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  extProcService,
  healthService,
  type ProcessingRequest,
  type ProcessingResponse,
} from '../../src/serving/extproc/protocol.ts';

export const FULL_DUPLEX = 4;
export const BUFFERED = 2;

type Sent = Omit<ProcessingRequest, 'request'>;
type Headers = Readonly<Record<string, string>>;

export interface Streaming {
  send(message: Sent): void;
  /** The head of a POST. */
  head(options?: HeadOptions): void;
  body(bytes: string | Buffer, last?: boolean): void;
  /** The next message of the processor; rejects when the stream has ended without one. */
  next(): Promise<ProcessingResponse>;
  /** Messages until the request may go on: those of head, body and trailers. */
  until(whole: (message: ProcessingResponse) => boolean): Promise<readonly ProcessingResponse[]>;
  /** The code with which the processor has ended the stream. */
  readonly ended: Promise<number>;
  /** The request is over. */
  close(): void;
  /** The stream is torn. */
  cancel(): void;
}

export interface HeadOptions {
  readonly path?: string;
  readonly method?: string;
  readonly mode?: number;
  readonly headers?: Headers;
  readonly last?: boolean;
  readonly hint?: readonly string[];
}

export interface EnvoyDouble {
  stream(): Streaming;
  /** gRPC's status of a health question: SERVING is 1. */
  health(service: string): Promise<number>;
  close(): void;
}

export function envoyDouble(address: string): EnvoyDouble {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  const { Process } = extProcService();
  const { Check } = healthService();
  return {
    stream: () =>
      streaming(
        client.makeBidiStreamRequest(Process!.path, Process!.requestSerialize, Process!.responseDeserialize),
      ),
    health: (service) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          Check!.path,
          Check!.requestSerialize,
          Check!.responseDeserialize,
          { service },
          (error: ServiceError | null, told: { status?: number } | undefined) =>
            error ? reject(error) : resolve(told?.status ?? 0),
        );
      }),
    close: () => client.close(),
  };
}

function streaming(call: ClientDuplexStream<Sent, ProcessingResponse>): Streaming {
  const come: ProcessingResponse[] = [];
  let over = false;
  let woken = (): void => {};
  call.on('data', (message: ProcessingResponse) => {
    come.push(message);
    woken();
  });
  const ended = new Promise<number>((resolve) => {
    call.on('error', () => {});
    call.on('status', ({ code }: { code: number }) => {
      over = true;
      woken();
      resolve(code);
    });
  });
  const next = async (): Promise<ProcessingResponse> => {
    while (come.length === 0) {
      if (over) throw new Error('the stream has ended');
      await new Promise<void>((resolve) => {
        woken = resolve;
      });
    }
    return come.shift()!;
  };
  const send = (message: Sent): void => void call.write(message);
  return {
    send,
    head: (options = {}) => send(headOf(options)),
    body: (bytes, last = true) => send({ request_body: { body: Buffer.from(bytes), end_of_stream: last } }),
    next,
    until: async (whole) => {
      const messages: ProcessingResponse[] = [];
      do messages.push(await next());
      while (!whole(messages.at(-1)!));
      return messages;
    },
    ended,
    close: () => call.end(),
    cancel: () => call.cancel(),
  };
}

function headOf({
  path = '/v1/chat/completions',
  method = 'POST',
  mode = FULL_DUPLEX,
  headers = {},
  last = false,
  hint,
}: HeadOptions): Sent {
  const all = { ':method': method, ':path': path, ':authority': 'localhost:10000', ...headers };
  return {
    request_headers: { headers: headerMap(all), end_of_stream: last },
    protocol_config: { request_body_mode: mode },
    ...(hint ? { metadata_context: { filter_metadata: { 'envoy.lb.subset_hint': hinted(hint) } } } : {}),
  };
}

function hinted(endpoints: readonly string[]) {
  const values = endpoints.map((stringValue) => ({ stringValue }));
  return { fields: { 'x-gateway-destination-endpoint-subset': { listValue: { values } } } };
}

export function headerMap(headers: Headers) {
  return {
    headers: Object.entries(headers).map(([key, value]) => ({
      key,
      raw_value: Buffer.from(value, 'latin1'),
    })),
  };
}

/** What Envoy does with the answer to a request: the headers that it sets and removes, and the body. */
export function applied(messages: readonly ProcessingResponse[]) {
  const first = messages[0]!;
  const response = (first.request_headers ?? first.request_body)!.response;
  const { set_headers: set = [], remove_headers: removed = [] } = response.header_mutation ?? {};
  const pieces = messages.flatMap(({ request_body: body }) => {
    const mutation = body?.response.body_mutation;
    if (mutation === undefined) return [];
    return ['body' in mutation ? mutation.body : (mutation.streamed_response.body ?? Buffer.alloc(0))];
  });
  return {
    set: Object.fromEntries(
      set.map(({ header }) => [header.key, header.raw_value.toString('latin1')] as const),
    ),
    removed,
    appends: set.map(({ append }) => append?.value ?? null),
    clears: response.clear_route_cache ?? false,
    pieces,
    body: Buffer.concat(pieces).toString(),
  };
}

/** An answer that Envoy gives itself. */
export function told(message: ProcessingResponse) {
  const immediate = message.immediate_response!;
  const set = immediate.headers.set_headers ?? [];
  return {
    status: immediate.status.code,
    headers: Object.fromEntries(
      set.map(({ header }) => [header.key, header.raw_value.toString('latin1')] as const),
    ),
    json: JSON.parse(immediate.body.toString()) as {
      error: { code: string; message: string; type: string };
      data: { id: string }[];
    },
  };
}

export const isImmediate = (message: ProcessingResponse): boolean => message.immediate_response !== undefined;

/** The last of an answer in full duplex, or a refusal. */
export const isWhole = (message: ProcessingResponse): boolean => {
  const mutation = message.request_body?.response.body_mutation;
  const last = mutation && 'streamed_response' in mutation && mutation.streamed_response.end_of_stream;
  return isImmediate(message) || message.request_trailers !== undefined || last === true;
};
