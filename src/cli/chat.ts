/** `expert-router chat`: a terminal conversation with a running router, showing which expert answers and why. */
import { createInterface, type Interface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { openAiChat } from '../serving/dialects/openai/chat.ts';
import { ToldFailure } from '../serving/reply/failure.ts';
import { replyTo } from '../serving/reply/reply-to.ts';

interface ChatOptions {
  readonly url: string;
  readonly model: string;
  readonly key?: string;
}

type Message = { readonly role: 'user' | 'assistant'; readonly content: string };

const HELP = `  /why          why the last turn went to this expert
  /expert NAME  talk to one expert; '/expert auto' lets the router choose again
  /new          start a new conversation
  /quit         leave (also Ctrl-D); Ctrl-C stops an answer`;

export function chatCommand(): Command {
  return new Command('chat')
    .option('-u, --url <url>', 'address of the router', 'http://127.0.0.1:8080')
    .option('-m, --model <name>', "an expert's name, or 'auto' to let the router choose", 'auto')
    .option('-k, --key <key>', 'API key, if the router requires one (or set EXPERT_ROUTER_KEY)')
    .addHelpText(
      'after',
      `
While chatting:
${HELP}

Examples:
  $ expert-router chat
  $ echo "Write a haiku about rain" | expert-router chat`,
    )
    .action(async (options: ChatOptions) => {
      const key = options.key ?? process.env.EXPERT_ROUTER_KEY;
      await new Chat({ ...options, ...(key ? { key } : {}) }).run();
    });
}

class Chat {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  /** Created only after the router has answered, because lines read earlier would be lost. */
  #terminal!: Interface;
  #model: string;
  #known: readonly string[] = [];
  /** The model requested in the last turn, which `/why` explains. */
  #lastModel = 'auto';
  #messages: Message[] = [];
  #answering: AbortController | null = null;

  constructor(options: ChatOptions) {
    this.#base = options.url.replace(/(?<!\/)\/+$/, '').replace(/\/v1$/, '');
    this.#model = options.model;
    this.#headers = {
      'content-type': 'application/json',
      ...(options.key ? { authorization: `Bearer ${options.key}` } : {}),
    };
  }

  async run(): Promise<void> {
    this.#known = await this.#experts();
    note('dim', `Connected to ${this.#base}: ${this.#known.join(', ')}. /help shows what you can type.`);
    this.#terminal = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: process.stdin.isTTY,
    });
    this.#terminal.on('SIGINT', () => this.#interrupt());
    this.#prompt();
    for await (const line of this.#terminal) {
      if (line.trim() === '/quit') break;
      if (line.trim() !== '') await this.#turn(line.trim());
      this.#prompt();
    }
    this.#terminal.close();
  }

  #prompt(): void {
    this.#terminal.setPrompt(process.stdin.isTTY ? styleText('bold', 'you  ') : '');
    this.#terminal.prompt();
  }

  #interrupt(): void {
    if (this.#answering) this.#answering.abort();
    else this.#terminal.close();
  }

  async #turn(line: string): Promise<void> {
    try {
      if (line.startsWith('/')) await this.#command(line);
      else await this.#ask(line);
    } catch (error) {
      note('red', describeError(error));
      // A script that pipes prompts in must see the failure.
      if (!process.stdin.isTTY) process.exitCode = 1;
    }
  }

  async #command(line: string): Promise<void> {
    const [name, argument] = line.split(/\s+/, 2);
    if (name === '/new') {
      this.#messages = [];
      note('dim', 'Started a new conversation.');
    } else if (name === '/expert') {
      this.#choose(argument ?? 'auto');
    } else if (name === '/why') {
      await this.#why();
    } else {
      if (name !== '/help') note('red', `Unknown command ${name}. Known commands:`);
      console.log(HELP);
    }
  }

  #choose(name: string): void {
    if (name !== 'auto' && !this.#known.includes(name)) {
      throw new UserError(`There is no expert '${name}'. Known: auto, ${this.#known.join(', ')}.`);
    }
    this.#model = name;
    note('dim', name === 'auto' ? 'The router chooses the expert again.' : `Now talking to ${name}.`);
  }

  async #ask(content: string): Promise<void> {
    const asked: Message[] = [...this.#messages, { role: 'user', content }];
    this.#answering = new AbortController();
    this.#lastModel = this.#model;
    try {
      const response = await this.#post('/v1/chat/completions', {
        model: this.#model,
        messages: asked,
        stream: true,
      });
      note('cyan', headline(response));
      const answer = await this.#print(response);
      this.#messages = [...asked, { role: 'assistant', content: answer }];
    } finally {
      this.#answering = null;
    }
  }

  /** Prints the answer as it streams; after an interruption, the part already printed counts as the answer. */
  async #print(response: Response): Promise<string> {
    let answer = '';
    const reader = openAiChat.reader(
      replyTo({
        text: (piece) => {
          answer += piece;
          return process.stdout.write(printable(piece));
        },
      }),
    );
    let failure: string | null = null;
    try {
      for await (const bytes of response.body!) for (const _ of reader.read(Buffer.from(bytes)));
      if (!reader.finish()) failure = 'The answer broke off.';
    } catch (error) {
      if (error instanceof ToldFailure) failure = error.message;
      else if (!this.#answering?.signal.aborted) throw error;
      else process.stdout.write(styleText('dim', ' … stopped'));
    }
    process.stdout.write('\n\n');
    if (failure) throw new UserError(failure);
    return answer;
  }

  async #why(): Promise<void> {
    const asked = this.#messages.slice(0, -1);
    if (asked.length === 0) {
      note('dim', 'No prompt has been sent yet.');
      return;
    }
    const response = await this.#post('/v1/route', { model: this.#lastModel, messages: asked });
    const route = (await response.json()) as {
      explanation: string;
      terms: { for: { term: string }[] };
      ranking: { expert: string }[];
    };
    console.log(printable(route.explanation));
    console.log(
      styleText(
        'dim',
        `Words in favour: ${route.terms.for.map((term) => term.term).join(', ') || 'none in particular'}`,
      ),
    );
    console.log(styleText('dim', `Ranking:  ${route.ranking.map((one) => one.expert).join(', ')}`));
  }

  async #experts(): Promise<string[]> {
    const models = (await (await this.#send('/v1/models', { method: 'GET' })).json()) as {
      data: { id: string }[];
    };
    return models.data.map((model) => model.id).filter((id) => id !== 'auto');
  }

  #post(path: string, body: unknown): Promise<Response> {
    return this.#send(path, { method: 'POST', body: JSON.stringify(body) });
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const signal = this.#answering?.signal ?? null;
    let response: Response;
    try {
      response = await fetch(this.#base + path, { ...init, headers: this.#headers, signal });
    } catch (error) {
      if (signal?.aborted) throw new UserError('Stopped.');
      throw new UserError(
        `Cannot reach a router at ${this.#base} (${describeError(error)}). Start one with: expert-router serve`,
      );
    }
    if (response.ok) return response;
    throw new UserError(
      openAiChat.refusal(response.status, {}, Buffer.from(await response.arrayBuffer())).message,
    );
  }
}

/** Prints everything but answers: to standard output in a terminal, else to standard error. */
function note(format: 'dim' | 'red' | 'cyan', text: string): void {
  console.error(styleText(format, printable(text), { stream: process.stderr }));
}

/** `code  nearest-cluster, cluster 12, confidence 0.83`, from the response headers. */
function headline(response: Response): string {
  const header = (name: string): string => response.headers.get(`x-expert-router-${name}`) ?? '?';
  return `${header('expert')}  ${styleText('dim', `${header('reason')}, cluster ${header('cluster')}, confidence ${header('confidence')}`)}`;
}
