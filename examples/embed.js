/** The gateway embedded in your own server: it handles paths below /v1, and you handle the rest. */
import { createServer } from 'node:http';
import { createGateway } from 'expert-router';

const gateway = await createGateway({
  experts: [
    { id: 'code', kind: 'emulated', description: 'Writes and explains programs' },
    { id: 'kitchen', kind: 'emulated', samples: ['How do I cook rice?', 'A recipe for apple cake'] },
  ],
});

const server = createServer((request, response) => {
  if (request.url?.startsWith('/v1/')) gateway.handle(request, response);
  else response.end('Send requests to /v1/chat/completions.\n');
});
server.listen(0, '127.0.0.1', async () => {
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  for (const content of [
    'Write a Python function that reverses a list',
    'Give me a recipe for tomato soup',
  ]) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }] }),
    });
    const { choices } = /** @type {any} */ (await response.json());
    console.log(`${content} -> ${response.headers.get('x-expert-router-expert')}`);
    console.log(`  ${choices[0].message.content.split('\n')[0]}`);
  }
  server.close();
  server.closeAllConnections();
  await gateway.close();
});
