/**
 * docs/fields.md: what becomes of every field of the forms that OpenAI and Anthropic publish, where an expert's server speaks
 * another dialect. The page is what the code does: `npx vitest run test/fields.test.ts -u` writes it.
 */
import { expect, it } from 'vitest';
import { RouterError } from '../src/core/errors.ts';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Ask } from '../src/serving/dialects/ask.ts';
import type { Json, TextDialect } from '../src/serving/dialects/dialect.ts';
import { isObject } from '../src/serving/dialects/json.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { asChat, CHAT_CAN } from '../src/serving/dialects/openai/translated.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import { MESSAGES_CAN, messagesRequest } from '../src/serving/experts/anthropic/request.ts';
import { refuseUnmet } from '../src/serving/experts/demands.ts';
import { readAnswers, readRequests } from './support/field-samples.ts';

const CHAT = 'chat completions';
const MESSAGES = 'Messages';

/** The body that a server gets, in either manner of sampling. @throws RouterError for a request that it cannot answer */
function sent(ask: Ask, server: string): readonly Json[] {
  refuseUnmet(ask, server === CHAT ? CHAT_CAN : MESSAGES_CAN);
  if (server === CHAT) return [asChat(ask).json];
  const settings = { model: 'm', maxTokens: 9 };
  return (['drop', 'send'] as const).map(
    (sampling) => messagesRequest(ask, { ...settings, sampling }).body as unknown as Json,
  );
}

function read(dialect: TextDialect, json: Json): Ask {
  return dialect.ask(dialect.facts(json), { bytes: Buffer.from(JSON.stringify(json)), json, partial: false });
}

/** What a server gets of a field: where, or why nothing. */
function became(dialect: TextDialect, server: string, base: Json, changed: Json): string {
  const ask = read(dialect, changed);
  try {
    const before = sent(read(dialect, base), server);
    const after = sent(ask, server);
    const places = after.flatMap((body, at) => differing(before[at], body, ''));
    if (places.length > 0) return shown(places);
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    return 'refused';
  }
  const before = read(dialect, base).unread();
  return ask.unread().some((field) => !before.includes(field)) ? 'left out, named' : 'left out';
}

/** Paths of the leaves in which two values differ, places in lists left out. */
function differing(before: unknown, after: unknown, at: string): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const longer = before.length > after.length ? before : after;
    return longer.flatMap((_, n) => differing(before[n], after[n], `${at}[]`));
  }
  if ((isObject(before) || before === undefined) && isObject(after)) {
    const old = before ?? {};
    const keys = new Set([...Object.keys(old), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differing(old[key], after[key], at === '' ? key : `${at}.${key}`));
  }
  return Array.isArray(after) && after.length > 0 && !Array.isArray(before)
    ? after.flatMap((one) => differing(undefined, one, `${at}[]`))
    : [at];
}

/** As deep as tells what it is. */
const DEPTH = 3;

function shown(places: readonly string[]): string {
  const short = places.map((place) => place.split('.').slice(0, DEPTH).join('.'));
  return [...new Set(short)].map((place) => `\`${place}\``).join(', ');
}

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  [openAiChat.id]: [MESSAGES],
  [openAiResponses.id]: [CHAT, MESSAGES],
  [anthropicMessages.id]: [CHAT],
};

function requestTables(): string {
  return readRequests()
    .map(({ title, dialect, rows }) => {
      const servers = SERVERS[dialect.id]!;
      const lines = rows.map(({ field, base, changed }) => {
        const cells = servers.map((server) => became(dialect, server, base, changed));
        return `| \`${field}\` | ${cells.join(' | ')} |`;
      });
      const heads = servers.map((server) => ` for a server of ${server} |`).join('');
      return `## ${title}\n\n| |${heads}\n|---|${'---|'.repeat(servers.length)}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

// Answers

/** The answer that a client gets for one of a server, parsed; a text for a failure. */
function answered(client: TextDialect, told: (reply: ReturnType<TextDialect['writer']>) => void): unknown {
  const pieces: Uint8Array[] = [];
  let failed: string | null = null;
  const own: Json =
    client === openAiResponses ? { input: 'x' } : { messages: [{ role: 'user', content: 'x' }] };
  const ask = read(client, { ...own, thinking: { type: 'adaptive' } });
  const reply = client.writer(ask, {
    head: () => {},
    data: (piece) => pieces.push(piece) > 0,
    end: () => {},
    fail: () => {
      failed = 'an error';
    },
  });
  try {
    reply.begin({ id: 'x-1', created: 1, model: 'm' });
    told(reply);
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    return 'an error';
  }
  return failed ?? JSON.parse(Buffer.concat(pieces).toString());
}

function answerTables(): string {
  return readAnswers()
    .map(({ title, clients, rows }) => {
      const lines = rows.map(({ field, base, changed, tell }) => {
        const cells = clients.map((client) => {
          const after = answered(client, (reply) => tell(changed, reply));
          if (typeof after === 'string') return after;
          const places = differing(
            answered(client, (reply) => tell(base, reply)),
            after,
            '',
          );
          return places.length > 0 ? shown(places) : 'left out';
        });
        return `| \`${field}\` | ${cells.join(' | ')} |`;
      });
      const heads = clients.map((client) => ` for a client of ${NAMES[client.id]} |`).join('');
      return `## ${title}\n\n| |${heads}\n|---|${'---|'.repeat(clients.length)}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

const NAMES: Readonly<Record<string, string>> = {
  [openAiChat.id]: CHAT,
  [openAiResponses.id]: 'Responses',
  [anthropicMessages.id]: MESSAGES,
};

const HEAD = `# What becomes of each field

Where an expert's server speaks the client's dialect, every field goes to it and comes back as it is. This page is about the
others: every field of the forms that OpenAI and Anthropic publish with their SDKs, what a server of another dialect is sent for
it, and what a client of another gets of the server's answer. \`test/fields.test.ts\` writes the page from what the code does, and
fails where it does something else, or where a field is published that has no sample there.

- A path: there. Several: it is told in all of these.
- *left out, named*: left out, and named in the answer's header \`x-expert-router-dropped\`.
- *left out*: it has no counterpart, and nothing is lost that the answer depends on; [dialects.md](dialects.md) says why.
- *refused*: the request goes to another expert, or is answered with 400 that names the field.
- *an error*: the answer cannot be said in the client's dialect.
`;

it('docs/fields.md says what becomes of every published field', async () => {
  await expect(`${HEAD}\n${requestTables()}\n${answerTables()}`).toMatchFileSnapshot('../docs/fields.md');
});
