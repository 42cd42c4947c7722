/** Tools of the contract suite: a recording sink and small readers of replies. */
import { RouterError } from '../../core/errors.ts';
import type { OpenAiAsk } from '../dialects/openai/ask.ts';
import type { ChatBody, CompletionBody } from '../dialects/openai/bodies.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import { openAiCompletions } from '../dialects/openai/completions.ts';
import type { Expert, ExpertRequest, Generation, Outcome } from './expert.ts';

export interface Heard {
  /** Of an answer that began, or of a server's error, whose body is in `body`. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly outcome?: Outcome;
  readonly failure?: RouterError;
}

export interface Listening {
  readonly generation: Generation;
  /** The names of all sink calls so far. */
  readonly calls: readonly string[];
  /** Resolves at the first data, or at the end if none came. */
  readonly first: Promise<void>;
  readonly done: Promise<Heard>;
  unpause(): void;
}

/** A request in OpenAI's dialect, not yet checked by routing, so that experts meet invalid ones. */
export function askOf(json: ChatBody | CompletionBody, body = JSON.stringify(json)): OpenAiAsk {
  const dialect = 'prompt' in json ? openAiCompletions : openAiChat;
  const routable = 'prompt' in json ? { prompt: '' } : { messages: [{ role: 'user', content: '' }] };
  const facts = dialect.facts({ stream: json.stream ?? false, ...routable });
  return dialect.ask(facts, { bytes: Buffer.from(body), json, partial: false }) as OpenAiAsk;
}

export function requestOf(json: ChatBody | CompletionBody, body?: string): ExpertRequest {
  return { ask: askOf(json, body), headers: {}, traceId: 'contract' };
}

/** Reads a reply; with `pauseAfter`, asks for a pause from that piece on until `unpause`. */
export function listen(expert: Expert, request: ExpertRequest, { pauseAfter = Infinity } = {}): Listening {
  const calls: string[] = [];
  const pieces: Buffer[] = [];
  const heard: { -readonly [K in keyof Heard]: Heard[K] } = { headers: {}, body: '' };
  let limit = pauseAfter;
  let started = () => {};
  const first = new Promise<void>((resolve) => {
    started = resolve;
  });
  let returned = false;
  let generation: Generation | undefined;
  const done = new Promise<Heard>((resolve, reject) => {
    const note = (call: string) => {
      if (!returned) reject(new Error(`${call} was called before generate() returned`));
      calls.push(call);
      if (call !== 'head') started();
    };
    const finish = () => resolve({ ...heard, body: Buffer.concat(pieces).toString('utf8') });
    generation = expert.generate(request, {
      head: (status, headers) => {
        note('head');
        heard.status = status;
        heard.headers = headers;
      },
      data: (chunk) => {
        pieces.push(Buffer.from(chunk));
        note('data');
        return pieces.length < limit;
      },
      end: (outcome) => {
        note('end');
        heard.outcome = outcome;
        finish();
      },
      fail: (failure) => {
        note('fail');
        if (failure instanceof RouterError) heard.failure = failure;
        else {
          const { status, headers, body } = request.ask.dialect.error(failure);
          Object.assign(heard, { status, headers });
          pieces.push(body);
        }
        finish();
      },
    });
    returned = true;
  });
  const unpause = () => {
    limit = Infinity;
    generation?.resume();
  };
  return { generation: generation!, calls, first, done, unpause };
}

type Chunk = {
  choices: { delta: { role?: string; content?: string }; text?: string; finish_reason: string | null }[];
  usage?: { completion_tokens: number } | null;
};

/** The JSON events of a stream; indexed access is left loose, for a missing one fails the test anyway. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads replies of unknown shape
export function events(body: string): any[] {
  return body
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)));
}

/** The text of a reply of either endpoint, streamed or whole. */
export function textOf(body: string): string {
  if (!body.startsWith('data:')) {
    const { choices } = JSON.parse(body) as { choices: { message?: { content: string }; text?: string }[] };
    return choices[0]?.message?.content ?? choices[0]?.text ?? '';
  }
  const pieces = (events(body) as Chunk[]).flatMap((chunk) => chunk.choices);
  return pieces.map((choice) => choice.delta?.content ?? choice.text ?? '').join('');
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
