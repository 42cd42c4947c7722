/** Texts as bytes: cheaper to keep, and to send to another thread, than strings. */

/** A JSON list of texts in UTF-8. */
export type TextBatch = Uint8Array;

export function packTexts(texts: readonly string[]): TextBatch {
  return Buffer.from(JSON.stringify(texts));
}

export function unpackTexts(batch: TextBatch): readonly string[] {
  return JSON.parse(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength).toString()) as string[];
}
