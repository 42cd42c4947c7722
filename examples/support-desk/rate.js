/**
 * Sends tickets to the gateway and rates each answer, as people at the desk would by a click: 1 where the expert is that
 * of the ticket's queue, else 0. `node rate.js tickets.csv http://127.0.0.1:8080`
 */
import { readFileSync } from 'node:fs';

const [, , file, url] = process.argv;
const tickets = readFileSync(file, 'utf8').trim().split('\n').slice(1);
let right = 0;

for (const line of tickets) {
  const at = line.lastIndexOf(',');
  const text = line.slice(0, at).replace(/^"|"$/g, '').replaceAll('""', '"');
  const queue = line.slice(at + 1);
  const answer = await post('/v1/chat/completions', {
    model: 'auto',
    max_tokens: 1,
    messages: [{ role: 'user', content: text }],
  });
  const score = answer.headers.get('x-expert-router-expert') === queue ? 1 : 0;
  right += score;
  await post('/v1/feedback', { trace_id: answer.headers.get('x-expert-router-trace-id'), score });
}
console.log(`${tickets.length} tickets rated, ${right} with the expert of their queue`);

/** The answer, read to its end. */
async function post(path, body) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${told}`);
  return response;
}
