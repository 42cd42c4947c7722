/** One emulated expert as an HTTP server: its addresses, which plan a request gets, and its start and end. */
import { createServer, type Server, type Socket } from 'node:net';
import { RouterError, UserError } from '../../core/errors.ts';
import type { Endpoint } from '../../core/openai.ts';
import type { Random } from '../../core/random.ts';
import { type AnswerPlan, POLITE, planOf } from '../../serving/experts/emulated/misbehaviour.ts';
import { type Answering, Connection, type HttpRequest, type Responder, resetsReused } from './connection.ts';
import { Exchange } from './exchange.ts';
import type { Pacer } from './pacer.ts';
import { type Question, readQuestion } from './question.ts';
import { metricsPage, type ServerStats } from './stats.ts';
import type { TimerWheel } from './timer-wheel.ts';
import { errorBody, head, jsonAnswer } from './wire.ts';

/** A misbehaviour that befalls a share of requests, whoever sends them. */
export interface Mishap {
  readonly plan: AnswerPlan;
  /** From 0 to 1. */
  readonly share: number;
}

export interface EmulatedServerOptions {
  readonly expert: string;
  readonly pacer: Pacer;
  readonly wheel: TimerWheel;
  /** Milliseconds that never run backwards, the same as the wheel's. */
  readonly now: () => number;
  /** Epoch seconds that answers give as their date. */
  readonly created: number;
  readonly outputTokens: number;
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  readonly random: Random;
}

export interface EmulatedServer {
  readonly expert: string;
  readonly port: number;
  readonly stats: Readonly<ServerStats>;
  /** Cuts what runs. */
  close(): Promise<void>;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
};

/** The prefix of a model name that chooses a misbehaviour, as in `emulate:stall-after=5`. */
const MODEL_PREFIX = 'emulate:';

/** Listens; port 0 takes any free one. Rejects with the system's error when it cannot. */
export async function startEmulatedServer(
  options: EmulatedServerOptions,
  host: string,
  port: number,
): Promise<EmulatedServer> {
  const stats: ServerStats = { requests: 0, abandoned: 0, tokens: 0, streamedCrc: 0 };
  const respond = responder(options, stats);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    new Connection(socket, respond);
  });
  await listening(server, host, port);
  const address = server.address();
  return {
    expert: options.expert,
    port: typeof address === 'object' && address ? address.port : port,
    stats,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // A thousand users may knock in the same moment.
    server.listen({ host, port, backlog: 4096 }, () => resolve());
  });
}

function responder(options: EmulatedServerOptions, stats: ServerStats): Responder {
  return (request, socket, { answered }, over) => {
    const endpoint = ENDPOINTS[request.path];
    if (!endpoint || request.method !== 'POST') {
      socket.write(page(request, options, stats));
      over(request.keepAlive);
      return null;
    }
    stats.requests += 1;
    let question: Question;
    let plan: AnswerPlan;
    try {
      question = readQuestion(endpoint, request, options.expert);
      plan = planFor(request, question, options);
    } catch (error) {
      socket.write(refusal(error));
      over(request.keepAlive);
      return null;
    }
    if (resetsReused(plan, answered)) {
      socket.resetAndDestroy();
      return null;
    }
    return begin(new Exchange(socket, question, plan, contextOf(options, stats, question, request, over)));
  };
}

function begin(exchange: Exchange): Answering {
  exchange.start();
  return exchange;
}

function contextOf(
  options: EmulatedServerOptions,
  stats: ServerStats,
  { endpoint, model }: Question,
  { keepAlive }: HttpRequest,
  over: (reusable: boolean) => void,
): ConstructorParameters<typeof Exchange>[3] {
  const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${options.expert}-${stats.requests}`;
  return { ...options, stats, facts: { id, created: options.created, model, endpoint }, keepAlive, over };
}

/** Header before model name before chance. */
function planFor(request: HttpRequest, question: Question, options: EmulatedServerOptions): AnswerPlan {
  const header = request.headers['x-emulate'];
  if (header !== undefined) return planOf(header);
  if (question.model.startsWith(MODEL_PREFIX)) return planOf(question.model.slice(MODEL_PREFIX.length));
  let draw = options.mishaps.length > 0 ? options.random.next() : 1;
  for (const { plan, share } of options.mishaps) {
    if (draw < share) return plan;
    draw -= share;
  }
  return POLITE;
}

function refusal(error: unknown): string {
  if (error instanceof RouterError)
    return jsonAnswer(error.kind.status, errorBody(error.message, error.kind.type, error.code, error.param));
  if (!(error instanceof UserError)) throw error;
  return jsonAnswer(400, errorBody(error.message, 'invalid_request_error', 'unknown_misbehaviour'));
}

function page(request: HttpRequest, options: EmulatedServerOptions, stats: ServerStats): string {
  const { expert, pacer, created } = options;
  if (ENDPOINTS[request.path])
    return jsonAnswer(405, errorBody('Only POST.', 'invalid_request_error', 'method_not_allowed'));
  if (request.path === '/health') return jsonAnswer(200, '{"status":"ok"}');
  if (request.path === '/v1/models') {
    const model = { id: expert, object: 'model', created, owned_by: 'emulated' };
    return jsonAnswer(200, JSON.stringify({ object: 'list', data: [model] }));
  }
  if (request.path === '/metrics') {
    const body = metricsPage(expert, pacer.state(), stats);
    const headers = {
      'content-type': 'text/plain; version=0.0.4',
      'content-length': Buffer.byteLength(body),
    };
    return head(200, headers) + body;
  }
  return jsonAnswer(
    404,
    errorBody(`There is nothing at ${request.path}.`, 'invalid_request_error', 'not_found'),
  );
}
