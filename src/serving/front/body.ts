/** Reads a request body whole, up to a limit that its error names. */
import type { IncomingMessage } from 'node:http';
import { RouterError } from '../../core/errors.ts';

const MB = 1024 * 1024;

/** @throws RouterError `body_too_large` or `unsupported_media_type`; never resolves if the client leaves meanwhile. */
export function readBody(request: IncomingMessage, limitMb: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RouterError(
      'unsupported_media_type',
      `Content-Encoding '${encoding}' is not supported; send the body uncompressed.`,
    );
  }
  const limit = limitMb * MB;
  const tooLarge = (): RouterError =>
    new RouterError(
      'body_too_large',
      `The request body is larger than the limit of ${limitMb} MB (max_body_mb in the config).`,
    );
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        chunks.length = 0;
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
