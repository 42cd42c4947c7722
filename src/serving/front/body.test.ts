import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../core/bounds.ts';
import type { ReceivedBody } from '../gateway/read-request.ts';
import { readBody } from './body.ts';
import { BodyBudget } from './body-budget.ts';

const MB = 1024 * 1024;

interface Sent {
  readonly body: Promise<ReceivedBody>;
  readonly request: EventEmitter;
  readonly response: EventEmitter;
}

function send(budget: BodyBudget, chunks: Iterable<Buffer>, headers: object = {}): Sent {
  const request = Object.assign(new EventEmitter(), { headers });
  const response = new EventEmitter();
  const exchange = { request: request as IncomingMessage, response: response as ServerResponse };
  const body = Promise.resolve(readBody(exchange, 1, budget));
  body.catch(() => {});
  for (const chunk of chunks) request.emit('data', chunk);
  return { body, request, response };
}

function received(sent: Sent): Promise<ReceivedBody> {
  sent.request.emit('end');
  return sent.body;
}

function* spaces(count: number): Iterable<Buffer> {
  for (let sent = 0; sent < count; sent += 1) yield Buffer.from(' ');
}

describe('readBody', () => {
  it('keeps a body of one-byte chunks in little more than its bytes', async () => {
    const { bytes } = await received(send(new BodyBudget(1000 * MB), spaces(300_000)));
    expect(bytes).toHaveLength(300_000);
    expect(bytes.equals(Buffer.alloc(300_000, ' '))).toBe(true);
    expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * 300_000);
  });

  it('reserves no more than has come, whatever length was announced', () => {
    const budget = new BodyBudget(1000 * MB);
    send(budget, [Buffer.from('{')], { 'content-length': String(MB) });
    expect(budget.held).toBeLessThan(100_000);
  });

  it('refuses at the byte that goes beyond the limit, and counts it no longer', async () => {
    const budget = new BodyBudget(1000 * MB);
    const fits = await received(send(budget, [Buffer.alloc(MB, ' ')]));
    expect(fits.bytes).toHaveLength(MB);
    const before = budget.held;
    const { body } = send(budget, [Buffer.alloc(MB, ' '), Buffer.from(' ')]);
    await expect(body).rejects.toThrow('larger than the limit of 1 MB (max_body_mb in the config)');
    expect(budget.held).toBe(before);
  });

  it('charges the memory that a tree of many values takes', () => {
    const budget = new BodyBudget(1000 * MB);
    send(budget, [Buffer.from(`[${'{},'.repeat(1_000)}0]`)]);
    expect(budget.held).toBeGreaterThan(2_000 * LIMITS.chargePerToken);
  });

  it('refuses a body for which the others leave no room, until they are answered', async () => {
    const budget = new BodyBudget(4 * MB);
    const whole = [Buffer.alloc(MB, ' ')];
    const first = send(budget, whole);
    await received(first);
    const second = send(budget, whole);
    await expect(second.body).rejects.toMatchObject({ code: 'overloaded', retryAfter: 1 });
    first.response.emit('close');
    expect(budget.held).toBe(0);
    await expect(received(send(budget, whole))).resolves.toBeDefined();
  });

  it('takes a body that is alone, though it is larger than the budget', async () => {
    await expect(received(send(new BodyBudget(1), [Buffer.alloc(MB, ' ')]))).resolves.toBeDefined();
  });

  it('repeats at most 100 characters of a header', () => {
    const encoding = { 'content-encoding': 'x'.repeat(10_000) };
    expect(() => send(new BodyBudget(MB), [], encoding)).toThrow(/^Content-Encoding 'x{99}…' is not/);
  });
});
