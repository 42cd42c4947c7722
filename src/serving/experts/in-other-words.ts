/** Asks an expert in a dialect that it speaks, where the client's is none and can be told in the words of another. */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink, Expert, ExpertRequest, Generation } from './expert.ts';

const MOST_BYTES = 64 * 1024 * 1024;

export function generate(expert: Expert, request: ExpertRequest, sink: AnswerSink): Generation {
  const { dialect, otherwise } = request.ask;
  if (otherwise === undefined || (expert.speaks as readonly string[]).includes(dialect.id))
    return expert.generate(request, sink);
  const { rewritten } = otherwise.dialect;
  const written = rewritten ? rewriting(sink, rewritten) : sink;
  return expert.generate({ ...request, ask: otherwise }, written);
}

/** An answer held until it is whole, and then told in the client's words. */
function rewriting(sink: AnswerSink, rewritten: (body: Buffer) => Buffer): AnswerSink {
  const held: Uint8Array[] = [];
  let bytes = 0;
  let over = false;
  const fail: AnswerSink['fail'] = (failure) => {
    if (over) return;
    over = true;
    sink.fail(failure);
  };
  return {
    head: () => {},
    data: (chunk) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) held.push(chunk);
      else fail(new RouterError('expert_failed', `The expert's answer is longer than ${MOST_BYTES} bytes.`));
      return true;
    },
    end: (outcome) => {
      if (over) return;
      over = true;
      const body = rewritten(Buffer.concat(held));
      sink.head(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(body.length),
      });
      sink.data(body);
      sink.end(outcome);
    },
    fail,
  };
}
