/**
 * A tokeniser of the kind that byte-level models have, small enough to write down: every byte is a token, and two
 * control tokens frame messages. Its ids are bytes.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CONTROL = { start: '<|start|>', end: '<|end|>' } as const;
const TEMPLATE =
  '{% for message in messages %}<|start|>{{ message.role }}\n{{ message.content }}<|end|>{% endfor %}{{ "<|start|>assistant\n" }}';

/** Writes tokenizer.json and tokenizer_config.json into a new temporary folder, and returns that. */
export function byteTokenizer(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const vocab = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]));
  const added = Object.values(CONTROL).map((content, index) => ({
    id: 256 + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: 'BPE', vocab, merges: [], fuse_unk: false, byte_fallback: false },
  };
  const config = {
    eos_token: CONTROL.end,
    bos_token: null,
    chat_template: TEMPLATE,
    clean_up_tokenization_spaces: false,
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

/** The character that stands for each byte in GPT-2's vocabulary: itself if it can be printed, else one from U+0100. */
function byteCharacters(): readonly string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    return String.fromCodePoint(printable ? byte : next++);
  });
}
