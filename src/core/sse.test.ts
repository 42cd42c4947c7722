import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventReader, type ServerEvent } from './sse.ts';

function read(chunks: readonly string[]): ServerEvent[] {
  const events: ServerEvent[] = [];
  const feed = eventReader((event) => events.push(event));
  for (const chunk of chunks) feed(chunk);
  return events;
}

const STREAM =
  ': hello\r\ndata: {"a":1}\r\n\r\nevent: error\ndata:one\ndata: two\n\nid: 3\rdata\r\rdata: [DONE]\n\ndata: cut';

describe('eventReader', () => {
  it('reads events, comments, every line ending, and drops an unfinished event', () => {
    expect(read([STREAM])).toEqual([
      { event: 'message', data: '{"a":1}' },
      { event: 'error', data: 'one\ntwo' },
      { event: 'message', data: '' },
      { event: 'message', data: '[DONE]' },
    ]);
  });

  it('gives the same events for any chunking', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
        const chunks = at.slice(1).map((end, index) => STREAM.slice(at[index], end));
        expect(read(chunks)).toEqual(read([STREAM]));
      }),
    );
  });
});
