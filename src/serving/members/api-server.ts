/** Requests to a Kubernetes API server, as a pod makes them: with its service account's token and authority. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

/** A page of a list, or one event of a watch. */
const MOST_BYTES = 16_000_000;
const CONNECT_MS = 10_000;

/** The server's own refusal. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ApiServerOptions {
  readonly host: string;
  readonly port: string;
  /** Folder with `token` and `ca.crt`. */
  readonly credentials: string;
}

export class ApiServer {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  /** Rejects with `ApiError` for a refusal, and with what the system says otherwise. */
  async json(path: string, signal: AbortSignal): Promise<unknown> {
    const parts: string[] = [];
    let length = 0;
    for await (const piece of await this.#open(path, signal)) {
      length += piece.length;
      if (length > MOST_BYTES) throw new Error(`an answer is longer than ${MOST_BYTES} characters`);
      parts.push(piece);
    }
    return JSON.parse(parts.join(''));
  }

  /** One JSON value a line, as they come, until the server ends the answer. Rejects as `json`. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    let rest = '';
    for await (const piece of await this.#open(path, signal)) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop()!;
      if (rest.length > MOST_BYTES) throw new Error(`an event is longer than ${MOST_BYTES} characters`);
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
    }
  }

  async #open(path: string, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const { host, port, credentials } = this.#options;
    // Read for every request: tokens are replaced about once an hour, authorities now and then.
    const [token, ca] = await Promise.all(
      ['token', 'ca.crt'].map((name) => readFile(join(credentials, name), 'utf8')),
    );
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { accept: 'application/json', authorization: `Bearer ${token!.trim()}` };
      const asked = request({ host, port, path, ca, headers, signal, agent: false }, (response) => {
        asked.setTimeout(0);
        resolve(response);
      });
      asked.setTimeout(CONNECT_MS, () => asked.destroy(new Error('no answer in time')));
      asked.on('error', reject);
      asked.end();
    });
    if (answer.statusCode !== 200) {
      const message = await messageOf(answer);
      throw new ApiError(answer.statusCode!, message);
    }
    return texts(answer);
  }
}

async function* texts(answer: IncomingMessage): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const bytes of answer) yield decoder.write(bytes as Buffer);
  yield decoder.end();
}

/** What a Status object says, else the HTTP status alone. */
async function messageOf(answer: IncomingMessage): Promise<string> {
  const status = `status ${answer.statusCode}`;
  let text = '';
  for await (const piece of texts(answer)) if (text.length < 10_000) text += piece;
  try {
    const { message } = JSON.parse(text) as { message?: string };
    return message ? `${status}: ${message}` : status;
  } catch {
    return status;
  }
}
