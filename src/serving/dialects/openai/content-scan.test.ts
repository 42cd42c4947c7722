/** The scanner finds the same in any cut of a stream, and tells content from what only looks like it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ContentScan } from './content-scan.ts';

const piece = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null })}\n\n`;
const STREAM = Buffer.from(
  ': heartbeat\n\n' +
    `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\n` +
    piece('Grüße 🙂') +
    piece('he said "content":"x" and "usage":{') +
    'data:{"choices": [{"text": "spaced"}]}\n\n' +
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n' +
    'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":17,"total_tokens":20}}\n\n' +
    'data: [DONE]\n\n',
);

function scan(stream: Buffer, cuts: readonly number[]): ContentScan & { readonly told: number } {
  const scanner = new ContentScan();
  const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
  let told = 0;
  // One shared buffer, as a socket's: what was read before must not show through.
  const shared = Buffer.alloc(stream.length + 64, 'data: {"content":"ghost"}\n');
  at.slice(1).forEach((end, index) => {
    const from = at[index]!;
    stream.copy(shared, 7, from, end);
    told += scanner.feed(shared, 7, 7 + end - from);
  });
  return Object.assign(scanner, { told });
}

it('counts content, reads usage and the end, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const scanned = scan(STREAM, cuts);
      expect([scanned.contents, scanned.told, scanned.reportedTokens]).toEqual([3, 3, 17]);
      expect([scanned.done, scanned.failed, scanned.malformed]).toEqual([true, false, false]);
    }),
  );
});

it.each([
  ['data: {"error":{"message":"no"}}\n\n', { failed: true }],
  ['event: error\ndata: {"message":"no"}\n\n', { failed: true }],
  ['data: {"choices":[{"delta":{"con\n\n', { malformed: true }],
  ['data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"}}]}}]}\n\n', { contents: 1 }],
  ['data: {"choices":[{"delta":{"content":"not over yet"}}]}', { contents: 0 }],
])('%j', (text, expected) => {
  const found = scan(Buffer.from(text), []);
  expect(found).toMatchObject({ done: false, ...expected });
});
