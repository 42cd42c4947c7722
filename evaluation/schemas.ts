/**
 * Holds what this router writes against published schemas: `npm run eval:schemas -- <OpenAPI document> …`. Every answer and
 * event of every dialect that a document describes is validated, passed on and translated, streamed and whole, refusals too;
 * and every request that it shows is sent, and taken or refused as docs/dialects.md says. Ends with status 1 after a fault.
 * The documents are OpenAI's (github.com/openai/openai-openapi), Anthropic's (a copy of what its SDKs are made from is in
 * github.com/tryAGI/Anthropic) and Open Responses' (github.com/openresponses/openresponses).
 */
import { parseArgs } from 'node:util';
import { UserError } from '../src/core/errors.ts';
import { createGateway } from '../src/index.ts';
import type { Json } from '../src/serving/dialects/dialect.ts';
import { parseJson } from '../src/serving/dialects/json.ts';
import { ANSWERED, type Case, ONCE, REFUSED } from './schemas/cases.ts';
import { ApiDocument } from './schemas/document.ts';
import { KNOWN, refusedAsStated } from './schemas/stated.ts';

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length === 0) throw new UserError('Name the OpenAPI documents; --help says where they are.');

/** Asked by the gateway that is judged: what an engine with chat completions and Messages would say. */
const BEHIND = `
experts:
  - { id: own, kind: emulated }
  - { id: cut, kind: emulated, misbehaviour: cut=3 }
  - { id: silent, kind: emulated, misbehaviour: no-usage }`;
const judged = (behind: string): string => `
experts:
  - { id: own, kind: emulated }
  - { id: cut, kind: emulated, misbehaviour: cut=3 }
  - { id: silent, kind: emulated, misbehaviour: no-usage }
  - { id: failing, kind: emulated, misbehaviour: '503' }
${['own', 'cut', 'silent'].map((model) => `  - { id: chats-${model}, kind: openai, url: '${behind}', model: ${model}, quirks: plain, metrics_url: false }`).join('\n')}
  - { id: claude, kind: anthropic, url: '${behind}', model: own, api_key: none }`;
const EXPERTS = ['own', 'cut', 'silent', 'chats-own', 'chats-cut', 'chats-silent', 'claude'];

interface Judged {
  answers: number;
  events: number;
  readonly faults: Fault[];
}

interface Fault {
  readonly what: string;
  /** Where it was seen first. */
  readonly where: string;
}

const documents = positionals.map((file) => new ApiDocument(file));
const behind = await start(BEHIND);
const router = await start(judged(behind.url));
let faulty = false;
try {
  for (const document of documents) {
    const written = await judgeWritten(document);
    print(document, `${written.answers} answers and ${written.events} events`, written.faults);
    const { sent, taken, faults } = await judgeExamples(document);
    print(document, `${sent} requests, ${taken} of them taken`, faults);
  }
} finally {
  await router.close();
  await behind.close();
}
process.exit(faulty ? 1 : 0);

async function start(config: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const gateway = await createGateway(config, { probes: false, log: () => {} });
  const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => gateway.close({ graceMs: 0 }) };
}

async function judgeWritten(document: ApiDocument): Promise<Judged> {
  const judged: Judged = { answers: 0, events: 0, faults: [] };
  const own = (cases: readonly Case[]) => cases.filter(({ publisher }) => publisher === document.publisher);
  for (const one of own(ANSWERED))
    for (const model of EXPERTS)
      for (const stream of [false, true])
        await judgeOne(
          document,
          { ...one, body: { ...(one.body as Json), model, stream } },
          `${model}${stream ? ', streamed' : ''}`,
          judged,
        );
  for (const one of own(ONCE))
    await judgeOne(
      document,
      one.body === null ? one : { ...one, body: { ...(one.body as Json), model: 'own' } },
      'own',
      judged,
    );
  for (const one of own(REFUSED)) await judgeOne(document, one, 'refused', judged);
  return judged;
}

async function judgeOne(document: ApiDocument, one: Case, by: string, judged: Judged): Promise<void> {
  if (!document.has(one.method.toLowerCase(), one.path)) return;
  const told = await ask(one);
  const report = (what: string, problems: readonly string[] | null): void => {
    for (const problem of problems ?? [])
      judged.faults.push({ what: `${one.path}: ${what}: ${problem}`, where: `${one.name}, by ${by}` });
  };
  if (by === 'refused' && told.status < 400) report('status', [`${told.status}`]);
  if (told.events === null) {
    judged.answers += 1;
    report(
      `answer ${told.status}`,
      document.answer(one.method.toLowerCase(), one.path, told.status, told.body),
    );
    return;
  }
  for (const event of told.events) {
    judged.events += 1;
    report(`event ${String(event.type ?? 'chunk')}`, document.event(one.path, event));
  }
}

interface Told {
  readonly status: number;
  readonly body: unknown;
  /** Null for an answer that is none of events. */
  readonly events: readonly Json[] | null;
}

async function ask({
  method,
  path,
  body,
  headers = {},
}: Omit<Case, 'name' | 'publisher' | 'streams'>): Promise<Told> {
  const response = await fetch(router.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === null ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await broken(response);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
    return { status: response.status, body: parseJson(text), events: null };
  const data = [...text.matchAll(/^data: (.*)$/gm)]
    .map(([, line]) => line!)
    .filter((line) => line !== '[DONE]');
  return {
    status: response.status,
    body: null,
    events: data.map((line) => (parseJson(line) ?? { unreadable: line }) as Json),
  };
}

/** What came of a body, though it broke off. */
async function broken(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk);
  } catch {
    // It broke off, as the expert did.
  }
  return Buffer.concat(chunks).toString();
}

async function judgeExamples(
  document: ApiDocument,
): Promise<{ readonly sent: number; readonly taken: number; readonly faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  let taken = 0;
  let sent = 0;
  const paths = [
    ...new Set([...ANSWERED, ...ONCE].filter(({ method }) => method === 'POST').map(({ path }) => path)),
  ];
  for (const { name, path, body } of document.examples(paths))
    for (const model of ['own', 'chats-own', 'claude']) {
      if (model !== 'own' && /embeddings|tokens/.test(path)) continue;
      sent += 1;
      const told = await ask({ method: 'POST', path, body: { ...body, model } });
      if (told.status < 400) taken += 1;
      else if (!refusedAsStated(told.status, told.body))
        faults.push({
          what: `${path}: ${told.status} ${JSON.stringify(told.body)}`,
          where: `${name}, to ${model}`,
        });
    }
  return { sent, taken, faults };
}

function print(document: ApiDocument, counted: string, faults: readonly Fault[]): void {
  const known = KNOWN.filter(({ of }) => of.test(document.title));
  const unknown = faults.filter(({ what }) => !known.some((one) => one.what.test(what)));
  console.log(
    `${document.title}: ${counted}: ${unknown.length === 0 ? 'no fault' : `${unknown.length} faults`}`,
  );
  for (const kind of new Set(unknown.map(({ what }) => what))) {
    const all = unknown.filter(({ what }) => what === kind);
    console.log(`  ${kind} (${all[0]!.where}; ${all.length} times)`);
  }
  for (const { what, why } of known) {
    const times = faults.filter((fault) => what.test(fault.what)).length;
    if (times > 0) console.log(`  known, ${times} times: ${why}`);
  }
  if (unknown.length > 0) faulty = true;
}
