/**
 * The files that Hugging Face models bring for turning text into tokens and messages into a prompt, read once from a
 * folder of the user's.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describeError, UserError } from '../../../core/errors.ts';

export interface TokenizerFiles {
  /** The chat template as the files have it, or null. */
  readonly template: string | null;
  readonly bos: string;
  readonly eos: string;
  /** Texts of control tokens, longest first; an engine that decodes without them leaves them out of an echo. */
  readonly special: readonly string[];
  /** Null without a tokenizer.json. */
  readonly tokens: Tokens | null;
}

export interface Tokens {
  /** @param special whether the model's own beginning-of-text token and the like are put around it */
  encode(text: string, special: boolean): readonly number[];
  readonly endId: number | null;
  toText(): IdsToText;
}

/** Ids → text as they come; a character whose bytes are spread over several tokens waits for the last. */
export interface IdsToText {
  push(id: number): string;
  flush(): string;
}

/**
 * @param path a folder with tokenizer_config.json and, for token ids, tokenizer.json; or one of these files
 * @throws UserError when it is not there or holds neither file
 */
export async function readTokenizer(path: string): Promise<TokenizerFiles> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new UserError(`tokenizer: ${path} does not exist. Name the folder of the model's files.`);
  const folder = found.isDirectory() ? path : dirname(path);
  const config = await readJson(join(folder, 'tokenizer_config.json'));
  const tokenizer = await readJson(join(folder, 'tokenizer.json'));
  const jinja = await readText(join(folder, 'chat_template.jinja'));
  if (!config && !tokenizer && !jinja) {
    throw new UserError(
      `tokenizer: ${folder} holds neither tokenizer_config.json nor tokenizer.json. ` +
        'Copy them there from the model at Hugging Face.',
    );
  }
  const bos = tokenText(config?.bos_token);
  const eos = tokenText(config?.eos_token);
  return {
    template: jinja ?? templateOf(config?.chat_template),
    bos,
    eos,
    special: specialTexts(config, tokenizer),
    tokens: tokenizer ? tokensOf(tokenizer, config ?? {}, eos, folder) : null,
  };
}

type Json = Readonly<Record<string, unknown>>;

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError(`tokenizer: ${path} cannot be read: ${describeError(error)}`);
  }
}

async function readJson(path: string): Promise<Json | null> {
  const text = await readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UserError(`tokenizer: ${path} is not JSON: ${describeError(error)}`);
  }
}

/** Either a text or `{ content }`. */
function tokenText(token: unknown): string {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : '';
}

/** Either one template, or several with names, of which `default` is for talking. */
function templateOf(template: unknown): string | null {
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template as readonly { name?: unknown; template?: unknown }[];
  const chosen = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof chosen?.template === 'string' ? chosen.template : null;
}

interface AddedToken {
  readonly content?: string;
  readonly special?: boolean;
}

function specialTexts(config: Json | null, tokenizer: Json | null): readonly string[] {
  const added = [
    ...Object.values((config?.added_tokens_decoder ?? {}) as Record<string, AddedToken>),
    ...((tokenizer?.added_tokens ?? []) as readonly AddedToken[]),
  ];
  const texts = added.filter(({ special }) => special).map(({ content }) => content ?? '');
  return [...new Set([...texts, tokenText(config?.bos_token), tokenText(config?.eos_token)])]
    .filter(Boolean)
    .toSorted((a, b) => b.length - a.length);
}

function tokensOf(tokenizer: Json, config: Json, eos: string, folder: string): Tokens {
  let model: Tokenizer;
  try {
    model = new Tokenizer(tokenizer, config);
  } catch (error) {
    throw new UserError(
      `tokenizer: ${join(folder, 'tokenizer.json')} cannot be used: ${describeError(error)}`,
    );
  }
  return {
    encode: (text, special) => model.encode(text, { add_special_tokens: special }).ids,
    endId: (eos && model.token_to_id(eos)) || null,
    toText: () => idsToText((ids) => (ids.length === 0 ? '' : model.decode([...ids], DECODE))),
  };
}

const DECODE = { skip_special_tokens: true, clean_up_tokenization_spaces: false };

/** A character is at most four bytes; bytes that make none after as many tokens never will. */
const LONGEST = 4;

/**
 * Some decoders treat the first token of a text differently, so each is decoded together with those before it, and
 * what those alone would give is taken off.
 */
export function idsToText(decode: (ids: readonly number[]) => string): IdsToText {
  let before: readonly number[] = [];
  let waiting: number[] = [];
  const read = (): string => decode([...before, ...waiting]).slice(decode(before).length);
  const release = (text: string): string => {
    before = waiting.length > 0 ? waiting : before;
    waiting = [];
    return text;
  };
  return {
    push(id) {
      waiting.push(id);
      const text = read();
      return text.endsWith('\uFFFD') && waiting.length < LONGEST ? '' : release(text);
    },
    flush: () => (waiting.length > 0 ? release(read()) : ''),
  };
}
