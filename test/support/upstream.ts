/** A server that stands in for an expert: it records what reaches it and answers as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Upstream {
  readonly url: string;
  readonly requests: Recorded[];
  /** Resolves when a connection whose answer was not finished is closed from the other side. */
  readonly abandoned: Promise<void>;
  close(): Promise<void>;
}

export type Answer = (response: ServerResponse, request: Recorded) => void | Promise<void>;

export async function upstream(answer: Answer): Promise<Upstream> {
  const requests: Recorded[] = [];
  let noteAbandoned: () => void;
  const abandoned = new Promise<void>((resolve) => {
    noteAbandoned = resolve;
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const recorded = {
      method: request.method!,
      path: request.url!,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    requests.push(recorded);
    response.on('close', () => {
      if (!response.writableFinished) noteAbandoned();
    });
    await answer(response, recorded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    abandoned,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A well-behaved chat completion that says which model was asked. */
export const polite: Answer = (response, request) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[]}');
    return;
  }
  const { model, stream } = JSON.parse(request.body) as { model: string; stream?: boolean };
  if (stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of ['I am ', model, '.'])
      response.write(`data: ${JSON.stringify(chunk(model, piece))}\n\n`);
    response.end('data: [DONE]\n\n');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  const message = { role: 'assistant', content: `I am ${model}.` };
  response.end(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
    }),
  );
};

function chunk(model: string, content: string): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model,
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  };
}
