/**
 * A request's text → the one flat prompt that models on Triton take: messages by the model's chat template, or the
 * prompt as it is.
 */
import { readFile } from 'node:fs/promises';
import { Template } from '@huggingface/jinja';
import { describeError, RouterError, UserError } from '../../../core/errors.ts';
import { excerpt } from '../../../core/excerpt.ts';
import type { Prompt as AskedPrompt } from '../../dialects/ask.ts';
import { type TextMessage, textMessages } from '../text-prompt.ts';
import type { TokenizerFiles } from './tokenizer.ts';

export interface Prompt {
  readonly text: string;
  /** Whether a template made it, control tokens and all. */
  readonly templated: boolean;
}

export type MakePrompt = (asked: AskedPrompt) => Prompt;

/** What stands for a template in the config where the server brings its own. */
export const PLAIN = 'plain';

/**
 * @param chatTemplate the config's word: a file, a template itself, or `plain`; absent, the tokeniser's
 * @throws UserError for a template that cannot be read or parsed
 */
export async function promptMaker(
  expert: string,
  chatTemplate: string | undefined,
  files: TokenizerFiles | null,
): Promise<MakePrompt> {
  const render = await rendering(chatTemplate, files);
  return (asked) => {
    if (asked.kind === 'text') return { text: asked.text, templated: false };
    const messages = textMessages(asked.messages);
    if (!render) throw noTemplate(expert);
    return { text: render(messages, asked.at), templated: true };
  };
}

type Render = (messages: readonly TextMessage[], at: string) => string;

async function rendering(
  chatTemplate: string | undefined,
  files: TokenizerFiles | null,
): Promise<Render | null> {
  if (chatTemplate === PLAIN) return (messages) => messages.map(({ content }) => content).join('\n\n');
  const source = chatTemplate === undefined ? files?.template : await templateSource(chatTemplate);
  if (source === undefined || source === null) return null;
  const template = parse(source);
  const special = { bos_token: files?.bos ?? '', eos_token: files?.eos ?? '' };
  return (messages, at) => rendered(template, { messages, add_generation_prompt: true, ...special }, at);
}

/** A template says `{{` or `{%`; a path does not. */
async function templateSource(chatTemplate: string): Promise<string> {
  if (/\{[{%]/.test(chatTemplate)) return chatTemplate;
  try {
    return await readFile(chatTemplate, 'utf8');
  } catch (error) {
    throw new UserError(`chat_template: ${chatTemplate} cannot be read: ${describeError(error)}`);
  }
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new UserError(`chat_template: this is no template that can be used: ${describeError(error)}`);
  }
}

function rendered(template: Template, values: Record<string, unknown>, at: string): string {
  try {
    return template.render(values);
  } catch (error) {
    // Templates refuse what the model was not trained on, such as two user messages in a row.
    throw new RouterError(
      'invalid_body',
      `The model's chat template refuses these messages: ${excerpt(describeError(error))}`,
      { param: at },
    );
  }
}

function noTemplate(expert: string): RouterError {
  return new RouterError(
    'expert_failed',
    `Expert '${expert}' has no chat template, and models on Triton take one flat prompt. Give it \`tokenizer\` (the ` +
      `folder with the model's tokenizer_config.json), \`chat_template\`, or \`chat_template: ${PLAIN}\` where the ` +
      'server applies its own.',
  );
}
