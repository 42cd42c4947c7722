/**
 * Requests at a given rate, whatever becomes of those before, over bare sockets: a client that costs little beside what it
 * measures, and that tells a reset from a refusal. Kept connections are used again; new ones are opened as needed.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Offered {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** The whole request. */
  readonly bytes: Buffer;
  /** Whether every request has a connection of its own. */
  readonly fresh?: boolean;
}

export interface Told {
  readonly offered: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What went wrong below HTTP, by kind. */
  readonly faults: ReadonlyMap<string, number>;
  /** Milliseconds from the intended start to the end of the answer, ascending. */
  readonly answered: readonly number[];
  readonly refused: readonly number[];
  /** Values of Retry-After in refusals, in seconds; NaN where there was none. */
  readonly retryAfter: readonly number[];
  /** Answers with status 200 within the seconds of the offer. */
  readonly answeredInTime: number;
}

/** After the offer's end an answer may take so long. */
const DRAIN_MS = 10_000;

export async function offer({ port, perSecond, seconds, bytes, fresh = false }: Offered): Promise<Told> {
  const tally = new Tally();
  const idle: Connection[] = [];
  const from = performance.now();
  const to = from + seconds * 1000;
  let sent = 0;
  while (performance.now() < to) {
    const due = Math.floor(((performance.now() - from) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const intended = from + (sent / perSecond) * 1000;
      const connection = idle.pop() ?? new Connection(port);
      connection.ask(bytes, (end) => {
        tally.add(end, intended, to);
        if (!end.kept) return;
        if (fresh) connection.close();
        else idle.push(connection);
      });
    }
    await sleep(1);
  }
  const latest = performance.now() + DRAIN_MS;
  while (tally.ended < sent && performance.now() < latest) await sleep(20);
  tally.unanswered(sent - tally.ended);
  for (const connection of idle) connection.close();
  return { offered: sent, ...tally.told() };
}

/** Clients who ask again as soon as they are answered. @returns answers with status 200 a second */
export async function capacityOf(
  port: number,
  clients: number,
  seconds: number,
  bytes: Buffer,
): Promise<number> {
  let answered = 0;
  const to = performance.now() + seconds * 1000;
  const one = async (): Promise<void> => {
    let connection = new Connection(port);
    while (performance.now() < to) {
      const end = await new Promise<End>((resolve) => connection.ask(bytes, resolve));
      if (end.status === 200) answered += 1;
      if (!end.kept) connection = new Connection(port);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clients }, one));
  return answered / seconds;
}

/** As many clients at the same moment, each with a connection of its own. */
export async function atOnce(port: number, clients: number, bytes: Buffer): Promise<Told> {
  const tally = new Tally();
  const from = performance.now();
  for (let i = 0; i < clients; i++) {
    const connection = new Connection(port);
    connection.ask(bytes, (end) => {
      tally.add(end, from, Number.POSITIVE_INFINITY);
      if (end.kept) connection.close();
    });
  }
  const latest = performance.now() + 60_000;
  while (tally.ended < clients && performance.now() < latest) await sleep(20);
  tally.unanswered(clients - tally.ended);
  return { offered: clients, ...tally.told() };
}

/** Asks for a path again and again, one question at a time. @returns milliseconds of each, and what went wrong */
export async function watchPath(
  port: number,
  path: string,
  stopped: () => boolean,
): Promise<{ readonly ms: readonly number[]; readonly wrong: number }> {
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const ms: number[] = [];
  let wrong = 0;
  let connection: Connection | null = null;
  while (!stopped()) {
    const began = performance.now();
    connection ??= new Connection(port);
    const asked = connection;
    const end = await new Promise<End>((resolve) => asked.ask(bytes, resolve));
    ms.push(performance.now() - began);
    if (end.status !== 200) wrong += 1;
    if (!end.kept) connection = null;
    await sleep(50);
  }
  connection?.close();
  return { ms: ms.sort((a, b) => a - b), wrong };
}

class Tally {
  ended = 0;
  readonly #statuses = new Map<number, number>();
  readonly #faults = new Map<string, number>();
  readonly #answered: number[] = [];
  readonly #refused: number[] = [];
  readonly #retryAfter: number[] = [];
  #answeredInTime = 0;

  add({ status, fault, retryAfter }: End, intended: number, to: number): void {
    this.ended += 1;
    const now = performance.now();
    if (fault !== null) {
      this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
      return;
    }
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    (status === 200 ? this.#answered : this.#refused).push(now - intended);
    if (status !== 200) this.#retryAfter.push(retryAfter);
    else if (now < to) this.#answeredInTime += 1;
  }

  unanswered(count: number): void {
    if (count > 0) this.#faults.set('no answer', count);
  }

  told(): Omit<Told, 'offered'> {
    const ascending = (a: number, b: number): number => a - b;
    return {
      statuses: this.#statuses,
      faults: this.#faults,
      answered: this.#answered.sort(ascending),
      refused: this.#refused.sort(ascending),
      retryAfter: this.#retryAfter,
      answeredInTime: this.#answeredInTime,
    };
  }
}

interface End {
  readonly status: number;
  readonly fault: string | null;
  readonly retryAfter: number;
  /** Whether the connection can be used again. */
  readonly kept: boolean;
}

/** One connection, one request at a time; answers with a content-length, or chunks up to the last. */
class Connection {
  readonly #socket: Socket;
  #ended: (end: End) => void = () => {};
  #asking = false;
  #text = '';

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    this.#socket.on('close', () => this.#fail('closed without an answer'));
  }

  ask(bytes: Buffer, ended: (end: End) => void): void {
    this.#ended = ended;
    this.#asking = true;
    this.#text = '';
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text = this.#text === '' ? text : this.#text + text;
    const head = this.#text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const fields = this.#text.slice(0, head).toLowerCase();
    const length = /\r\ncontent-length: (\d+)/.exec(fields)?.[1];
    const whole =
      length === undefined
        ? this.#text.endsWith('0\r\n\r\n') && this.#text.length > head + 4
        : this.#text.length >= head + 4 + Number(length);
    if (!whole) return;
    this.#asking = false;
    const kept = !fields.includes('\r\nconnection: close');
    if (!kept) this.#socket.end();
    this.#ended({
      status: Number(fields.slice(9, 12)),
      fault: null,
      retryAfter: Number(/\r\nretry-after: (\d+)/.exec(fields)?.[1] ?? Number.NaN),
      kept,
    });
  }

  #fail(fault: string): void {
    if (!this.#asking) return;
    this.#asking = false;
    this.#ended({ status: 0, fault, retryAfter: Number.NaN, kept: false });
  }
}
