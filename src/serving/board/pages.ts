/** Everything below `/ui`: the page and its files, signing in, the event stream, and what the page asks for. */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { ROLES, type Role } from '../../core/roles.ts';
import { version } from '../../core/shipped.ts';
import { parseBody } from '../dialects/json.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import { answer, dryRun } from '../front/answering.ts';
import { authenticate, type HashedKey, mayAct, refuseWithout } from '../front/auth.ts';
import { readBody } from '../front/body.ts';
import type { ClientResponse } from '../front/exchange.ts';
import { listExperts } from '../front/expert-pages.ts';
import type { Exchange, Handler, RouteContext } from '../front/handler.ts';
import { applyShadow, operateExpert, reload, retrain, retraining } from '../front/operations.ts';
import type { Prices } from '../front/request-note.ts';
import { feedback } from '../front/routes.ts';
import { decoded } from '../front/spellings.ts';
import { sendJson } from '../front/wire.ts';
import type { Board } from './board.ts';
import { expertsNow } from './experts-now.ts';
import { PAGE_HEADERS, pageFiles } from './files.ts';
import { layoutOf } from './layout.ts';
import { merged } from './merge.ts';
import { listReports, REPORT_HEADERS, readReport } from './reports.ts';
import { ENDED_COOKIE, sessionCookie, viewerOf } from './session.ts';
import { Watch } from './watch.ts';
import type { WhatIfDesk } from './what-if.ts';
import type { Frame, Layout, Question, Told, Viewer } from './wire.ts';

export interface PageParts {
  readonly board: Board;
  /** Asks every process, this one too; null where one does not answer in time. */
  gather(question: Question): Promise<readonly Told[] | null>;
  readonly whatIf: WhatIfDesk;
  /** What sessions are signed with; the same in all processes. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  now(): number;
  current(): {
    readonly keys: readonly HashedKey[];
    /** Null without TLS. */
    readonly identity: object | null;
    readonly context: RouteContext;
    readonly prices: Prices;
    /** Of experts, in the config's words; of those that have one. */
    readonly descriptions: ReadonlyMap<string, string>;
    /** Folder; null where none is configured. */
    readonly reports: string | null;
  };
}

interface Page {
  /** Null where nobody needs to be known. */
  readonly role: Role | null;
  handle(exchange: Exchange, rest: string): Promise<void>;
}

const MOST_ROWS = 200;
/** A fleet of hundreds of experts, described. */
const WHAT_IF_MB = 0.25;
/** A key and its quotes. */
const LOGIN_MB = 0.01;
const TRACE = /^[0-9a-f]{32}$/;

export class BoardPages {
  readonly #parts: PageParts;
  readonly #watch: Watch;
  #layout: { readonly of: RouteContext; readonly layout: Layout } | null = null;
  /** Longest first where one begins another. */
  readonly #pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ['GET viewer', { role: null, handle: (exchange) => this.#viewer(exchange) }],
    ['POST login', { role: null, handle: (exchange) => this.#login(exchange) }],
    ['POST logout', { role: null, handle: async ({ response }) => signOut(response) }],
    ['GET stream', { role: 'observe', handle: (exchange) => this.#stream(exchange) }],
    ['GET layout', { role: 'observe', handle: async ({ response }) => send(response, this.#layoutNow()) }],
    ['GET experts', { role: 'observe', handle: (exchange) => listExperts(this.#context, exchange) }],
    ['GET reports', { role: 'observe', handle: (exchange) => this.#reports(exchange) }],
    ['GET report', { role: 'observe', handle: (exchange, name) => this.#report(exchange, name) }],
    ['GET requests', { role: 'observe', handle: (exchange) => this.#requests(exchange) }],
    ['GET trace', { role: 'observe', handle: (exchange, id) => this.#trace(exchange, id) }],
    ['GET what-if', { role: 'observe', handle: (exchange) => this.#whatCanBe(exchange) }],
    ['POST what-if', { role: 'observe', handle: (exchange) => this.#whatIf(exchange) }],
    ['POST route', { role: 'ask', handle: (exchange) => dryRun(this.#context, exchange) }],
    ['POST feedback', { role: 'ask', handle: (exchange) => feedback(this.#context, exchange) }],
    ['POST ask', { role: 'ask', handle: (exchange) => answer(openAiChat)(this.#context, exchange) }],
    ['POST drain', { role: 'operate', handle: (exchange, name) => this.#operate('drain', exchange, name) }],
    ['POST resume', { role: 'operate', handle: (exchange, name) => this.#operate('resume', exchange, name) }],
    ['POST reload', { role: 'operate', handle: (exchange) => this.#act(reload, exchange) }],
    ['GET shadow', { role: 'observe', handle: (exchange) => this.#shadow(exchange) }],
    ['POST shadow', { role: 'operate', handle: (exchange) => this.#act(applyShadow, exchange) }],
    ['GET retraining', { role: 'observe', handle: (exchange) => retraining(this.#context, exchange) }],
    ['POST retraining', { role: 'operate', handle: (exchange) => this.#act(retrain, exchange) }],
  ]);

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#watch = new Watch({
      history: () => this.#gather({ kind: 'history' }),
      frame: (since) => this.#frame(since),
      now: () => parts.now() / 1000,
      draining: () => this.#context.readiness.draining,
    });
  }

  /** @throws RouterError `not_found`, `invalid_api_key`, `role_missing` and those of what is asked for */
  async answer(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const path = request.url!.split('?', 1)[0]!;
    const isApi = path.startsWith('/ui/api/');
    if (!isApi) {
      if (path === '/') toDashboard(exchange);
      else sendFile(exchange, path.replace(/^\/ui\/?/, ''));
      return;
    }
    const [name = '', ...rest] = path.slice('/ui/api/'.length).split('/');
    const page = this.#pages.get(`${request.method === 'HEAD' ? 'GET' : request.method} ${name}`);
    if (!page) throw nothingAt(path);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    const caller = page.role === null ? null : this.#known(exchange, page.role);
    if (name === 'ask') exchange.note.path = '/ui/api/ask';
    await page.handle({ ...exchange, caller }, rest.join('/'));
  }

  get #context(): RouteContext {
    return this.#parts.current().context;
  }

  /** @throws RouterError `invalid_api_key`, `role_missing` */
  #known({ request, note }: Exchange, role: Role): HashedKey | null {
    const { current, secret, now } = this.#parts;
    const caller = viewerOf(request, current().keys, secret, now() / 1000);
    note.key = caller?.name ?? null;
    refuseWithout(role, caller);
    return caller;
  }

  async #viewer({ request, response }: Exchange): Promise<void> {
    const { current, secret, now } = this.#parts;
    const { keys } = current();
    const known = attempt(() => viewerOf(request, keys, secret, now() / 1000));
    const login = known === undefined;
    const viewer: Viewer = {
      login,
      name: known?.name ?? null,
      roles: login ? [] : ROLES.filter((role) => mayAct(role, known)),
      version: version(),
    };
    send(response, viewer);
  }

  async #login(exchange: Exchange): Promise<void> {
    const { response } = exchange;
    const { current, secret, now } = this.#parts;
    const { bytes } = await readBody(exchange, LOGIN_MB);
    const { key } = (attempt(() => JSON.parse(bytes.toString())) ?? {}) as { key?: unknown };
    const authorization = `Bearer ${typeof key === 'string' ? key.trim() : ''}`;
    const known = authenticate({ headers: { authorization } }, current().keys);
    if (known) {
      refuseWithout('observe', known);
      const secure = current().identity !== null;
      response.setHeader('set-cookie', sessionCookie(known, secret, now() / 1000, secure));
    }
    send(response, {});
  }

  async #stream(exchange: Exchange): Promise<void> {
    const { response } = exchange;
    const mayWatch = (): boolean => attempt(() => this.#known(exchange, 'observe')) !== undefined;
    await this.#watch.add({ response, mayWatch });
  }

  async #frame(since: number): Promise<Frame> {
    const { seconds, events, dots } = await this.#gather({ kind: 'since', second: since });
    const { gateway } = this.#context;
    return {
      build: pageFiles().build,
      now: this.#parts.now(),
      seconds,
      events,
      dots,
      experts: expertsNow(gateway.fleet),
      layout: this.#layoutNow().id,
    };
  }

  async #requests({ response }: Exchange): Promise<void> {
    const { rows } = await this.#gather({ kind: 'requests', most: MOST_ROWS });
    const running = rows.filter((row) => row.running).slice(0, MOST_ROWS / 2);
    const ended = rows.filter((row) => !row.running).slice(0, MOST_ROWS);
    send(response, [...running, ...ended]);
  }

  async #trace({ response }: Exchange, id: string): Promise<void> {
    if (!TRACE.test(id)) throw new RouterError('invalid_request', 'A trace id is 32 hexadecimal digits.');
    const { rows } = await this.#gather({ kind: 'trace', id });
    if (rows.length === 0)
      throw new RouterError(
        'not_found',
        `No request of the trace ${id} is remembered (any more): each process keeps its latest 1,000.`,
      );
    send(response, rows);
  }

  async #whatCanBe({ response }: Exchange): Promise<void> {
    send(response, await this.#parts.whatIf.options());
  }

  async #whatIf(exchange: Exchange): Promise<void> {
    const { bytes } = await readBody(exchange, WHAT_IF_MB);
    send(exchange.response, await this.#parts.whatIf.ask(parseBody(bytes)));
  }

  async #reports({ response }: Exchange): Promise<void> {
    const { reports } = this.#parts.current();
    send(response, { dir: reports !== null, data: reports === null ? [] : await listReports(reports) });
  }

  async #report({ response }: Exchange, name: string): Promise<void> {
    const { reports } = this.#parts.current();
    const bytes = await readReport(reports ?? '', attempt(() => decodeURIComponent(name)) ?? '');
    response.writeHead(200, { ...REPORT_HEADERS, 'content-length': bytes.length }).end(bytes);
  }

  async #operate(verb: 'drain' | 'resume', exchange: Exchange, name: string): Promise<void> {
    refuseForms(exchange);
    await operateExpert(verb, this.#context, exchange, decoded(name));
  }

  async #act(act: Handler, exchange: Exchange): Promise<void> {
    refuseForms(exchange);
    await act(this.#context, exchange);
  }

  async #shadow({ response }: Exchange): Promise<void> {
    const { shadow } = await this.#gather({ kind: 'shadow' });
    send(response, shadow);
  }

  async #gather(question: Question): Promise<Told> {
    const told = await this.#parts.gather(question);
    if (told) return merged(told);
    throw new RouterError('metrics_incomplete', 'A worker does not answer; ask again in a moment.', {
      retryAfter: 5,
    });
  }

  #layoutNow(): Layout {
    const { context, prices, descriptions } = this.#parts.current();
    if (this.#layout?.of !== context)
      this.#layout = { of: context, layout: layoutOf(context.gateway, { prices, descriptions }) };
    return this.#layout.layout;
  }
}

/**
 * What a form or a link of another page could send is not JSON by its own word. The session is strict about sites already;
 * this holds in browsers that do not say where a request comes from, too.
 * @throws RouterError `unsupported_media_type`
 */
function refuseForms({ request }: Exchange): void {
  if (/^application\/json\b/i.test(String(request.headers['content-type'] ?? ''))) return;
  throw new RouterError('unsupported_media_type', 'This takes content-type: application/json alone.');
}

function send(response: ClientResponse, value: unknown): void {
  sendJson(response, 200, value);
}

function signOut(response: ClientResponse): void {
  response.setHeader('set-cookie', ENDED_COOKIE);
  send(response, {});
}

/** A browser is shown the dashboard; a program is told that there is nothing. */
function toDashboard({ request, response }: Exchange): void {
  if (!/\btext\/html\b/.test(request.headers.accept ?? '')) throw nothingAt('/');
  response.writeHead(303, { location: '/ui' }).end();
}

function sendFile({ request, response }: Exchange, name: string): void {
  const { files } = pageFiles();
  const file = files.get(name === '' ? 'index.html' : name);
  if (!file) throw nothingAt(`/ui/${name}`);
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const bytes = zipped ? file.gzipped : file.bytes;
  response
    .writeHead(200, {
      ...PAGE_HEADERS,
      'content-type': file.type,
      'content-length': bytes.length,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      vary: 'accept-encoding',
      'cache-control': file.forever ? 'public, max-age=31536000, immutable' : 'no-cache',
    })
    .end(bytes);
}

function nothingAt(path: string): RouterError {
  return new RouterError('not_found', `There is nothing at ${excerpt(path)}. The dashboard is at /ui.`);
}

/** Undefined where it throws a refusal. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
