/** A thread with the client and the expert of a bench, so that the main thread runs only the gateway. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { WORST_INPUTS } from './worst-inputs.ts';

export interface Ask {
  readonly url: string;
  readonly name: string;
}

const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
});

const expert = createServer((asked, response) => {
  asked.resume().on('end', () => response.end(ANSWER));
}).listen(0, '127.0.0.1');

async function answer({ url, name }: Ask): Promise<void> {
  const body = WORST_INPUTS[name]!();
  const asking = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-length': Buffer.byteLength(body) },
  }).end(body);
  const [response] = await once(asking, 'response');
  response.resume();
  await once(response, 'end');
  parentPort!.postMessage({ status: response.statusCode, bytes: Buffer.byteLength(body) });
}

parentPort!.on('message', (ask: Ask) => void answer(ask));
await once(expert, 'listening');
parentPort!.postMessage(`http://127.0.0.1:${(expert.address() as AddressInfo).port}`);
