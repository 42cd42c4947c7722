/** What is told to Envoy: changed headers and bodies, and answers that Envoy gives itself. Pure. */
import type { ErrorAnswer } from '../dialects/ask.ts';
import type { HeaderMutation, ProcessingResponse, Struct } from './protocol.ts';

/** Envoy takes messages of 64 KB; this leaves room for the rest of one, and is what other processors send. */
const CHUNK_BYTES = 62_000;

/** Header of the endpoint-picker protocol (Gateway API Inference Extension, proposal 004), and its metadata's namespace. */
export const ENDPOINT_HEADER = 'x-gateway-destination-endpoint';
export const ENDPOINT_METADATA = 'envoy.lb';

export interface Change {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

export function mutation({ set, remove }: Change): HeaderMutation {
  return {
    set_headers: Object.entries(set).map(([key, value]) => ({
      header: { key, raw_value: Buffer.from(value, 'latin1') },
      // Said each time: Envoy ignores `append_action`, and its default has been up for change.
      append: { value: false },
    })),
    // Removed first, set afterwards: a copy that the client sent does not stay beside ours.
    remove_headers: remove,
  };
}

/** What a request becomes. */
export interface NewRequest {
  readonly change: Change;
  readonly body: Buffer;
  /** Addresses in order of preference; null where they are not known. */
  readonly endpoints: string | null;
}

/** For FULL_DUPLEX_STREAMED: the head, the body in pieces, and the end of the trailers where there were any. */
export function duplexAnswer(request: NewRequest, trailers: boolean): readonly ProcessingResponse[] {
  const { change, body, endpoints } = request;
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) pieces.push(body.subarray(at, at + CHUNK_BYTES));
  return [
    {
      request_headers: { response: { header_mutation: mutation(change), clear_route_cache: true } },
      ...metadataOf(endpoints),
    },
    ...pieces.map((piece, index) => ({
      request_body: {
        response: {
          body_mutation: {
            streamed_response: { body: piece, end_of_stream: !trailers && index === pieces.length - 1 },
          },
        },
      },
    })),
    ...(trailers ? [{ request_trailers: {} }] : []),
  ];
}

/** For BUFFERED: everything in the answer to the body. */
export function bufferedAnswer({ change, body, endpoints }: NewRequest): ProcessingResponse {
  return {
    request_body: {
      response: {
        header_mutation: mutation({
          ...change,
          set: { ...change.set, 'content-length': String(body.length) },
        }),
        body_mutation: { body },
        clear_route_cache: true,
      },
    },
    ...metadataOf(endpoints),
  };
}

function metadataOf(endpoints: string | null): { readonly dynamic_metadata?: Struct } {
  if (endpoints === null) return {};
  const named = { structValue: { fields: { [ENDPOINT_HEADER]: { stringValue: endpoints } } } };
  return { dynamic_metadata: { fields: { [ENDPOINT_METADATA]: named } } };
}

/** An answer that Envoy gives without asking anybody. */
export function immediate({ status, headers, body }: ErrorAnswer, details: string): ProcessingResponse {
  const { 'content-length': _length, ...set } = headers; // Envoy counts it itself
  return {
    immediate_response: { status: { code: status }, headers: mutation({ set, remove: [] }), body, details },
  };
}
