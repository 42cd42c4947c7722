/**
 * The lane for plain requests: connections whose clients send one request at a time, each with its whole head in one
 * piece and a small body of known length. At the first request that is anything else, the connection goes to Node's
 * own server with every byte that was not answered yet, and stays there.
 */
import type { Socket } from 'node:net';
import { type PlainRequest, readPlainRequest } from '../../http/plain-request.ts';
import { type BodyShare, PROCESS_BUDGET } from './body-budget.ts';
import type { ClientRequest } from './exchange.ts';
import { PlainResponse } from './plain-response.ts';

export interface LaneOptions {
  handle(request: ClientRequest, response: PlainResponse, socket: Socket): void;
  /** Takes over a connection, whose unread bytes begin with a request. */
  toNode(socket: Socket): void;
  /** Ends a connection whose request did not come to its end. */
  tooLate(socket: Socket): void;
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** Milliseconds. */
  readonly timeouts: {
    readonly keepAliveTimeout: number;
    readonly headersTimeout: number;
    readonly requestTimeout: number;
  };
}

/** Larger bodies are Node's to read. */
const MOST_BODY = 64 * 1024;
/** Bytes a client may send while it is still being answered; beyond them its socket is read no more. */
const MOST_AHEAD = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class PlainLane {
  readonly options: LaneOptions;
  /** The fields that end the head of a response whose connection is kept. */
  readonly keepAlive: string;
  readonly #connections = new Set<LaneConnection>();

  constructor(options: LaneOptions) {
    this.options = options;
    this.keepAlive = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(options.timeouts.keepAliveTimeout / 1000)}\r\n`;
  }

  /** Serves a connection that is open, and from which nothing has been read. */
  accept(socket: Socket): void {
    this.#connections.add(new LaneConnection(socket, this));
  }

  /** It is over, or another's. */
  left(connection: LaneConnection): void {
    this.#connections.delete(connection);
  }

  /** Ends connections that have been waiting for too long. */
  look(): void {
    const now = this.options.now();
    for (const connection of this.#connections) connection.look(now);
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.socket.destroy();
  }
}

/** `fresh`: nothing was sent yet; `idle`: between requests; `body`: its head is there. */
type State = 'fresh' | 'idle' | 'body' | 'answering' | 'over';

class LaneConnection {
  readonly socket: Socket;
  readonly #lane: PlainLane;
  #state: State = 'fresh';
  /** When it came into its state; of a body, when its head came. */
  #since: number;
  /** Received and not answered: the part of a request, or what follows the request that is being answered. */
  #held: Buffer = NOTHING;
  #length = 0;
  #share: BodyShare | null = null;
  #request: PlainRequest | null = null;
  #response: PlainResponse | null = null;

  constructor(socket: Socket, lane: PlainLane) {
    this.socket = socket;
    this.#lane = lane;
    this.#since = lane.options.now();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  look(now: number): void {
    const { keepAliveTimeout, headersTimeout, requestTimeout } = this.#lane.options.timeouts;
    const waited = now - this.#since;
    if (this.#state === 'idle' && waited >= keepAliveTimeout) this.socket.destroy();
    const late = this.#state === 'fresh' ? headersTimeout : this.#state === 'body' ? requestTimeout : null;
    if (late !== null && waited >= late) this.#leave(() => this.#lane.options.tooLate(this.socket));
  }

  /** The response has been written. */
  ended(last: boolean): void {
    this.#response = null;
    if (this.#state === 'over') return;
    if (last) {
      this.#leave(() => this.socket.destroySoon());
      return;
    }
    this.#state = 'idle';
    this.#since = this.#lane.options.now();
    if (this.#length === 0) return;
    const next = this.#held.subarray(0, this.#length);
    this.#held = NOTHING;
    this.#length = 0;
    if (this.socket.isPaused()) this.socket.resume();
    this.#begin(next);
  }

  readonly #onData = (bytes: Buffer): void => {
    switch (this.#state) {
      case 'fresh':
      case 'idle':
        this.#begin(bytes);
        return;
      case 'body':
        this.#more(bytes);
        return;
      case 'answering':
        this.#hold(bytes);
        if (this.#length > MOST_AHEAD) this.socket.pause();
    }
  };

  #begin(bytes: Buffer): void {
    const request = readPlainRequest(bytes);
    const whole = request === null ? 0 : request.bodyAt + request.bodyLength;
    // More than the request: the client sends several at once, which is Node's to read.
    if (request === null || bytes.length > whole || request.bodyLength > MOST_BODY) this.#toNode(bytes);
    else if (bytes.length === whole) this.#answer(request, bytes);
    else {
      this.#state = 'body';
      this.#since = this.#lane.options.now();
      this.#request = request;
      this.#share = PROCESS_BUDGET.share();
      this.#held = bytes;
      this.#length = bytes.length;
    }
  }

  /** More of a body. */
  #more(bytes: Buffer): void {
    const request = this.#request!;
    const whole = request.bodyAt + request.bodyLength;
    try {
      this.#hold(bytes);
      this.#share!.charge(this.#held.length);
    } catch {
      this.#toNode(this.#take(this.#length)); // which refuses it with the reason
      return;
    }
    if (this.#length < whole) return;
    const surplus = this.#held.subarray(whole, this.#length);
    this.#answer(request, this.#take(whole));
    if (surplus.length > 0) this.#hold(surplus);
  }

  #answer(request: PlainRequest, bytes: Buffer): void {
    this.#state = 'answering';
    const { options, keepAlive } = this.#lane;
    const response = new PlainResponse(this, keepAlive);
    this.#response = response;
    options.handle(new WholeRequest(request, bytes), response, this.socket);
  }

  /** Capacity doubles, so that a body that comes byte by byte takes linear time. */
  #hold(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#length, length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#length);
    this.#length = length;
  }

  /** What is held, which is then no longer. */
  #take(length: number): Buffer {
    const bytes = this.#held.subarray(0, length);
    this.#share?.release();
    this.#share = null;
    this.#request = null;
    this.#held = NOTHING;
    this.#length = 0;
    return bytes;
  }

  #toNode(bytes: Buffer): void {
    const { socket } = this;
    this.#leave(() => {
      socket.pause();
      socket.unshift(bytes);
      this.#lane.options.toNode(socket);
    });
  }

  /** From now on the connection is another's. */
  #leave(then: () => void): void {
    const { socket } = this;
    this.#state = 'over';
    this.#share?.release();
    this.#lane.left(this);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('close', this.#onClose);
    then();
    // Last, so that no error is ever without a listener.
    if (socket.listenerCount('error') > 1) socket.off('error', this.#onError);
  }

  /** A client that sends no more has gone, as for Node's server. */
  readonly #onEnd = (): void => {
    if (this.#response) this.socket.destroy();
    else this.socket.end();
  };

  readonly #onDrain = (): void => this.#response?.drained();

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#state = 'over';
    this.#share?.release();
    this.#lane.left(this);
    this.#response?.closed();
  };
}

/** A plain request as the front sees it. */
class WholeRequest implements ClientRequest {
  readonly method: string;
  url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly whole: Buffer;
  readonly complete = true;
  readonly destroyed = false;

  constructor({ method, target, headers, bodyAt }: PlainRequest, bytes: Buffer) {
    this.method = method;
    this.url = target;
    this.headers = headers;
    this.whole = bytes.subarray(bodyAt);
  }

  get rawHeaders(): readonly string[] {
    return ['host', this.headers.host!];
  }

  resume(): void {}

  on(): void {}
}
