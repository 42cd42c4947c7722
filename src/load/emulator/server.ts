/** One emulated expert as an HTTP server: its paths, and which plan a request gets. */
import { createServer, type Server, type Socket } from 'node:net';
import { RouterError, UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Endpoint } from '../../serving/dialects/openai/bodies.ts';
import { errorType } from '../../serving/dialects/openai/errors.ts';
import { type AnswerPlan, POLITE, planOf } from '../../serving/experts/emulated/misbehaviour.ts';
import { type AdapterOptions, EmulatedAdapters } from './adapters.ts';
import { EmulatedAnswer } from './answer.ts';
import { type Answering, Connection, type HttpRequest, type Responder, resetsReused } from './connection.ts';
import type { Pacer } from './pacer.ts';
import { type EmulatedRequest, readRequest } from './request.ts';
import { metricsPage, type ServerStats } from './stats.ts';
import type { TimerWheel } from './timer-wheel.ts';
import { errorBody, head, jsonAnswer } from './wire.ts';

/** A misbehaviour applied to a random share of requests. */
export interface Mishap {
  readonly plan: AnswerPlan;
  /** From 0 to 1. */
  readonly share: number;
}

export interface EmulatedServerOptions {
  readonly expert: string;
  readonly pacer: Pacer;
  readonly wheel: TimerWheel;
  /** Monotonic milliseconds, on the wheel's clock. */
  readonly now: () => number;
  /** Epoch seconds given as `created` in answers. */
  readonly created: number;
  readonly outputTokens: number;
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  readonly random: Random;
  /** It serves LoRA adapters too, as vLLM does; null for none: then it answers for any model. */
  readonly adapters: AdapterOptions | null;
}

export interface EmulatedServer {
  readonly expert: string;
  readonly port: number;
  readonly stats: Readonly<ServerStats>;
  /** Closes all connections, including answers in progress. */
  close(): Promise<void>;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
};

/** The prefix of a model name that chooses a misbehaviour, as in `emulate:stall-after=5`. */
const MODEL_PREFIX = 'emulate:';

/** Starts listening; port 0 takes any free one. Rejects with the system's error when that fails. */
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
    // Thousands of users may connect at the same moment.
    server.listen({ host, port, backlog: 4096 }, () => resolve());
  });
}

function responder(options: EmulatedServerOptions, stats: ServerStats): Responder {
  const adapters = options.adapters && new EmulatedAdapters(options.adapters);
  return (request, socket, { answered }, over) => {
    const endpoint = ENDPOINTS[request.path];
    if (!endpoint || request.method !== 'POST') {
      const loaded = request.method === 'POST' ? adapters?.answer(request.path, request.body) : null;
      socket.write(loaded ?? page(request, options, stats, adapters));
      over(request.keepAlive);
      return null;
    }
    stats.requests += 1;
    let asked: EmulatedRequest;
    let plan: AnswerPlan;
    try {
      asked = readRequest(endpoint, request, options.expert);
      if (adapters) refuseUnknown(asked, options.expert, adapters);
      plan = planFor(request, asked, options);
    } catch (error) {
      socket.write(refusal(error));
      over(request.keepAlive);
      return null;
    }
    if (resetsReused(plan, answered)) {
      socket.resetAndDestroy();
      return null;
    }
    const whole = (own: AnswerPlan, done: (reusable: boolean) => void) =>
      begin(new EmulatedAnswer(socket, asked, own, contextOf(options, stats, asked, request, done)));
    if (!adapters?.has(asked.model)) return whole(plan, over);
    return withAdapter(adapters, asked.model, options.now(), plan, over, whole);
  };
}

function begin(answer: EmulatedAnswer): Answering {
  answer.start();
  return answer;
}

/** The answer to a request for an adapter: late by the time that loading it takes, and counted while it lasts. */
function withAdapter(
  adapters: EmulatedAdapters,
  name: string,
  now: number,
  plan: AnswerPlan,
  over: (reusable: boolean) => void,
  start: (plan: AnswerPlan, over: (reusable: boolean) => void) => Answering,
): Answering {
  let under = true;
  const end = (): void => {
    if (under) adapters.end(name);
    under = false;
  };
  const late = { ...plan, delayMs: plan.delayMs + adapters.begin(name, now) };
  const answering = start(late, (reusable) => {
    end();
    over(reusable);
  });
  return {
    catchUp: () => answering.catchUp(),
    abandon: () => {
      end();
      answering.abandon();
    },
  };
}

function refuseUnknown({ model }: EmulatedRequest, base: string, adapters: EmulatedAdapters): void {
  if (model === base || adapters.has(model) || model.startsWith(MODEL_PREFIX)) return;
  throw new RouterError('model_not_found', `The model \`${model}\` does not exist.`);
}

function contextOf(
  options: EmulatedServerOptions,
  stats: ServerStats,
  { endpoint, model }: EmulatedRequest,
  { keepAlive }: HttpRequest,
  over: (reusable: boolean) => void,
): ConstructorParameters<typeof EmulatedAnswer>[3] {
  const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${options.expert}-${stats.requests}`;
  return { ...options, stats, facts: { id, created: options.created, model, endpoint }, keepAlive, over };
}

/** The header takes precedence over the model name, which takes precedence over random mishaps. */
function planFor(request: HttpRequest, asked: EmulatedRequest, options: EmulatedServerOptions): AnswerPlan {
  const header = request.headers['x-emulate'];
  if (header !== undefined) return planOf(header);
  if (asked.model.startsWith(MODEL_PREFIX)) return planOf(asked.model.slice(MODEL_PREFIX.length));
  let draw = options.mishaps.length > 0 ? options.random.next() : 1;
  for (const { plan, share } of options.mishaps) {
    if (draw < share) return plan;
    draw -= share;
  }
  return POLITE;
}

function refusal(error: unknown): string {
  if (error instanceof RouterError)
    return jsonAnswer(error.kind.status, errorBody(error.message, errorType(error), error.code, error.param));
  if (!(error instanceof UserError)) throw error;
  return jsonAnswer(400, errorBody(error.message, 'invalid_request_error', 'unknown_misbehaviour'));
}

function page(
  request: HttpRequest,
  options: EmulatedServerOptions,
  stats: ServerStats,
  adapters: EmulatedAdapters | null,
): string {
  const { expert, pacer, created } = options;
  if (ENDPOINTS[request.path])
    return jsonAnswer(
      405,
      errorBody('This path accepts only POST.', 'invalid_request_error', 'method_not_allowed'),
    );
  if (request.path === '/health') return jsonAnswer(200, '{"status":"ok"}');
  if (request.path === '/v1/models') {
    const model = { id: expert, object: 'model', created, owned_by: 'emulated' };
    const data = [model, ...(adapters?.cards(expert, created) ?? [])];
    return jsonAnswer(200, JSON.stringify({ object: 'list', data }));
  }
  if (request.path === '/metrics') {
    const body =
      metricsPage(expert, pacer.state(), stats) + (adapters?.metrics(created + options.now() / 1000) ?? '');
    const headers = {
      'content-type': 'text/plain; version=0.0.4',
      'content-length': Buffer.byteLength(body),
    };
    return head(200, headers) + body;
  }
  return jsonAnswer(404, errorBody(`Unknown path ${request.path}.`, 'invalid_request_error', 'not_found'));
}
