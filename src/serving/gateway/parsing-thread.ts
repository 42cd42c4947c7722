/** Entry point of the thread that parses bodies: one after another as they come. */
import { parentPort } from 'node:worker_threads';
import { type Order, parseOrder } from './read-request.ts';

parentPort?.on('message', (order: Order) => {
  const reading = parseOrder(order);
  const moved = 'bytes' in reading ? [reading.bytes, reading.prepared] : [];
  parentPort?.postMessage(
    reading,
    moved.filter((bytes) => bytes !== null).map((bytes) => bytes.buffer as ArrayBuffer),
  );
});
