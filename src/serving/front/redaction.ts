/**
 * Takes out of what clients read what only the operator may know: where experts are, and with which credentials they
 * are asked. It stands at the edge, so that it holds for the words of every kind of expert, engine and library.
 */
import { RouterError } from '../../core/errors.ts';
import { type Failure, ToldFailure } from '../reply/failure.ts';

const HIDDEN = '[hidden]';

/** Addresses that a name was resolved to, as system errors write them: `10.0.0.7:8000`, `fd00::7:8000`, `[fd00::7]:8000`. */
const ADDRESS =
  /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}\]?)(?::\d{1,5})?(?![\w:])/gi;

export class Redaction {
  readonly #secrets: readonly string[];

  /** @param secrets texts that never pass; those that contain others are found first */
  constructor(secrets: Iterable<string>) {
    this.#secrets = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  }

  /** Without the secrets. Linear in the text for each of them. */
  text(text: string): string {
    return this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
  }

  /** Words of ours, or of a library, without the secrets and without any numeric address. */
  words(text: string): string {
    return this.text(text).replace(ADDRESS, HIDDEN);
  }

  /** Without the secrets in message, headers and raw bytes; a message of ours also without any numeric address. */
  failure(failure: Failure): Failure {
    if (failure instanceof RouterError) return this.#ours(failure);
    const { status, type, param, code, objection, headers, raw } = failure;
    return new ToldFailure({
      status,
      message: this.text(failure.message),
      type: type === null ? null : this.text(type),
      param: param === null ? null : this.text(param),
      code: code === null ? null : this.text(code),
      objection,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, this.text(value)] as const),
      ),
      raw: raw === null ? null : { ...raw, body: this.#bytes(raw.body) },
    });
  }

  #ours(failure: RouterError): RouterError {
    const message = this.words(failure.message);
    if (message === failure.message) return failure;
    const { code, param, retryAfter, cause } = failure;
    return new RouterError(code, message, {
      cause,
      ...(param === null ? {} : { param }),
      ...(retryAfter === null ? {} : { retryAfter }),
    });
  }

  /** Bytes without a secret stay the very same, whatever encoding they are in. */
  #bytes(bytes: Buffer): Buffer {
    return this.#secrets.some((secret) => bytes.includes(secret))
      ? Buffer.from(this.text(bytes.toString('utf8')))
      : bytes;
  }
}
