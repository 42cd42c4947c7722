/** Anthropic's Messages, as servers speak it. */
import type { NativeDialect } from '../dialect.ts';
import { refusal } from './errors.ts';
import { MessagesReader } from './reader.ts';

export const anthropicMessages: NativeDialect<'anthropic-messages'> = {
  id: 'anthropic-messages',
  refusal,
  reader: (reply) => new MessagesReader(reply),
};
