/**
 * A conversation → the tokens the model was taught to expect, by the chat template in its own file. What a client
 * writes never becomes a control token.
 */
import { RouterError, UserError } from '../../../core/errors.ts';
import { excerpt } from '../../../core/excerpt.ts';
import type { TextMessage } from '../text-prompt.ts';
import type { JinjaModule, Model, Token } from './engine-api.ts';

/** @param at the request's field that holds the messages, for errors */
export type ChatTemplate = (messages: readonly TextMessage[], at: string) => readonly Piece[];

/** `control` is the template's own text, in which `<|im_start|>` and the like are single tokens. */
export interface Piece {
  readonly control: boolean;
  readonly text: string;
}

/** Private-use characters that no template looks at and no client text survives with meaning. */
const MARK = /\uE0F0(\d+)\uE0F1/;

export function chatTemplate(model: Model, jinja: JinjaModule): ChatTemplate {
  const source = model.fileInfo.metadata.tokenizer?.chat_template;
  if (!source) {
    throw new UserError(
      'These weights carry no chat template, so they are not an instruct model. Choose others.',
    );
  }
  const template = new jinja.Template(source);
  return (messages, at) => {
    const marked = messages.map(({ role }, index) => ({ role, content: `\uE0F0${index}\uE0F1` }));
    const values = {
      messages: marked,
      add_generation_prompt: true,
      bos_token: model.tokens.bosString ?? '',
      eos_token: model.tokens.eosString ?? '',
    };
    const text = render(template, values, at);
    // split() with a group alternates: template text, index of a message, template text, …
    return text
      .split(MARK)
      .map((part, index) =>
        index % 2 === 0
          ? { control: true, text: part }
          : { control: false, text: messages[Number(part)]!.content },
      )
      .filter((piece) => piece.text !== '');
  };
}

function render(
  template: { render(values: Record<string, unknown>): string },
  values: Record<string, unknown>,
  at: string,
) {
  try {
    return template.render(values);
  } catch (error) {
    // Templates refuse what the model was not trained on, such as two user messages in a row.
    const why = error instanceof Error ? error.message : String(error);
    throw new RouterError(
      'invalid_body',
      `The model's chat template refuses these messages: ${excerpt(why)}`,
      { param: at },
    );
  }
}

/** The expert's own system prompt goes first; system messages the client leads with are joined to it. */
export function withSystem(system: string | undefined, messages: readonly TextMessage[]): TextMessage[] {
  const split = messages.findIndex((message) => message.role !== 'system');
  const leading = split < 0 ? messages : messages.slice(0, split);
  const content = [system ?? '', ...leading.map((message) => message.content)].filter(Boolean).join('\n\n');
  const rest = messages.slice(leading.length);
  return content ? [{ role: 'system', content }, ...rest] : [...rest];
}

/** No text of this many characters per token of room can fit, so it need not be tokenised to its end. */
const SLICE = 50_000;

/**
 * @param at the request's field that holds the text
 * @throws RouterError `context_length_exceeded` when prompt and one token of answer do not fit into `room` tokens
 */
export function toTokens(model: Model, pieces: readonly Piece[], room: number, at: string): Token[] {
  const tokens: Token[] = [];
  const { bos, shouldPrependBosToken } = model.tokens;
  if (shouldPrependBosToken && bos !== null) tokens.push(bos);
  for (const piece of pieces) {
    // Tokenising is synchronous: a book is given up on early instead of blocking every other request.
    for (let from = 0; from < piece.text.length; from += SLICE) {
      const slice = piece.text.length <= SLICE ? piece.text : piece.text.slice(from, from + SLICE);
      for (const token of model.tokenize(slice, piece.control)) tokens.push(token);
      if (tokens.length >= room) throw tooLong(tokens.length, room, from + SLICE < piece.text.length, at);
    }
  }
  if (tokens.length === 0 && bos !== null) tokens.push(bos);
  return tokens;
}

function tooLong(tokens: number, room: number, more: boolean, at: string): RouterError {
  return new RouterError(
    'context_length_exceeded',
    `This expert's context holds ${room} tokens of prompt and answer together, and the prompt has ` +
      `${more ? 'at least ' : ''}${tokens}. Shorten it, or raise the expert's \`context\`.`,
    { param: at },
  );
}
