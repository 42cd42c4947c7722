/** Reads a server's answer, in a dialect other than the client's, into a typed reply as it comes. */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { WireError } from '../../http/client.ts';
import type { PulledResponse } from '../../http/pulled-response.ts';
import type { NativeDialect } from '../dialects/dialect.ts';
import type { Reply } from '../reply/reply.ts';
import type { Work } from './running.ts';
import { asRouterError } from './wire-failure.ts';

export interface Translation {
  readonly expert: string;
  /** The server's. */
  readonly dialect: NativeDialect;
  readonly reply: Reply;
  /** Whether to stop reading. */
  stopped?(): boolean;
}

/** Of an error's body, in bytes: the rest tells nobody anything. */
const MOST_REFUSAL_BYTES = 64 * 1024;
/** Of a whole answer. */
const MOST_WHOLE_BYTES = 64 * 1024 * 1024;

/** @throws a failure if the answer is an error or not whole */
export async function readAnswer(
  response: PulledResponse,
  { expert, dialect, reply, stopped = () => false }: Translation,
  { drained }: Pick<Work, 'drained'>,
): Promise<void> {
  const { status, headers } = response.head;
  if (status >= 400)
    throw dialect.refusal(status, headers, Buffer.from(await response.text(MOST_REFUSAL_BYTES)));
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity')
    throw new RouterError(
      'expert_failed',
      `Expert '${expert}' answered in the content coding '${excerpt(coding)}', which cannot be read.`,
    );
  if (dialect.whole && /^application\/json\b/i.test(headers['content-type'] ?? ''))
    return readWhole(response, { expert, whole: dialect.whole, reply });
  const reader = dialect.reader(reply);
  try {
    for await (const piece of response.pieces()) {
      for (const room of reader.read(piece)) {
        if (stopped()) return;
        if (!room) await drained();
      }
    }
    if (reader.finish()) return;
  } catch (error) {
    throw asFailure(expert, error);
  } finally {
    response.cancel();
  }
  throw new RouterError(
    'expert_cut_stream',
    `Expert '${expert}' broke off its answer: the stream ended before the answer did.`,
  );
}

async function readWhole(
  response: PulledResponse,
  { expert, whole, reply }: Pick<Translation, 'expert' | 'reply'> & Required<Pick<NativeDialect, 'whole'>>,
): Promise<void> {
  const json = await response.text(MOST_WHOLE_BYTES).catch((error: unknown) => {
    throw asFailure(expert, error);
  });
  if (!whole(json, reply))
    throw new RouterError('expert_failed', `Expert '${expert}' gave no whole answer: it is no JSON of one.`);
}

function asFailure(expert: string, error: unknown): unknown {
  if (error instanceof WireError) return asRouterError(expert, error);
  if (!(error instanceof SyntaxError)) return error;
  return new RouterError('expert_failed', `Expert '${expert}' sent an event that is not JSON.`, {
    cause: error,
  });
}
