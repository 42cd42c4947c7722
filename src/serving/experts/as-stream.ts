/** A server that answers a request for a stream with one JSON body: what it said, as the stream that was asked for. */
import { RouterError } from '../../core/errors.ts';
import type { Ask, Capability } from '../dialects/ask.ts';
import { ToldFailure } from '../reply/failure.ts';
import type { StreamedBody } from '../reply/raw-relay.ts';
import type { ReplyMeta } from '../reply/reply.ts';
import { refuseUnmet } from './demands.ts';

/**
 * @param can what the dialect's typed reply can say
 * @returns null where the body is no answer, or where the reply cannot say all that was asked for (several answers, token
 *   probabilities): such a body is passed on as it is
 */
export function asStream(
  ask: Ask,
  meta: ReplyMeta,
  can: readonly Capability[],
  body: Buffer,
): StreamedBody | null {
  const { writer, whole } = ask.dialect;
  if (writer === null || whole === undefined) return null;
  try {
    refuseUnmet(ask, can);
    let headers: Readonly<Record<string, string>> = {};
    const pieces: Uint8Array[] = [];
    let outcome: StreamedBody['outcome'] | null = null;
    const reply = writer(ask, {
      head: (_status, told) => {
        headers = told;
      },
      data: (piece) => pieces.push(piece) > 0,
      end: (ended) => {
        outcome = ended;
      },
      fail: () => {},
    });
    reply.begin(meta);
    if (!whole(body.toString('utf8'), reply) || outcome === null) return null;
    return { headers, bytes: Buffer.concat(pieces), outcome };
  } catch (error) {
    if (error instanceof RouterError || error instanceof ToldFailure) return null;
    throw error;
  }
}
