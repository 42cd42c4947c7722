/** The worst request for each step between socket and expert, by name. */

const MB = 1024 * 1024;
const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';
const MARKS = `a${'\u0301'.repeat(6_143)}${'\u0323'.repeat(6_144)}`;

const fill = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / piece.length));
const chat = (...contents: readonly string[]): string =>
  JSON.stringify({ messages: contents.map((content) => ({ role: 'user', content })) });
const member = (json: string): string => `{${MESSAGES},"x":${json}}`;
const keys = (count: number): string => Array.from({ length: count }, (_, i) => `"k${i}":0`).join();

/** Bodies of chat completions. */
export const WORST_INPUTS: Readonly<Record<string, () => string>> = {
  'an ordinary request': () => chat('Write a Python function that reverses a list.'),
  '8 turns of English, 196 KB': () =>
    chat(...Array.from({ length: 8 }, () => 'The quick brown fox jumps. '.repeat(907))),
  '8 turns of combining marks, 196 KB': () => chat(...Array.from({ length: 8 }, () => MARKS)),
  '8 turns of U+FDFA': () => chat(...Array.from({ length: 8 }, () => '\ufdfa'.repeat(12_288))),
  '8 turns of Han': () => chat(...Array.from({ length: 8 }, () => '東京都庁舎前'.repeat(2_048))),
  'model name, 64 KB': () => `{${MESSAGES},"model":"${fill('a', MB / 16)}"}`,
  'model name, 1 MB': () => `{${MESSAGES},"model":"${fill('a', MB)}"}`,
  'as many names as the loop parses': () => member(`{${keys(16_000)}}`),
  'as many objects as the loop parses': () => member(`[${fill('{},', 3 * 16_000)}0]`),
  'as many bytes of Japanese as the loop parses': () =>
    member(`"${'日'.repeat(Math.floor((2 * MB) / 3) - 50)}"`),
  'text, 31 MB': () => chat(fill('lorem ipsum ', 31 * MB)),
  'Japanese, 31 MB': () => chat('日本'.repeat((31 * MB) / 6)),
  'escaped quotes, 31 MB': () => member(`"${fill('\\"', 31 * MB)}"`),
  'half surrogates, 31 MB': () => member(`"${fill('\\ud800', 31 * MB)}"`),
  'a million names': () => member(`{${keys(990_000)}}`),
  'a million objects': () => member(`[${fill('{},', 3 * 990_000)}0]`),
  '200,000 messages': () =>
    `{"messages":[${fill('{"role":"user","content":"a"},', 30 * 199_999)}{"role":"user"}]}`,
  '300,000 strings': () => member(`[${fill('"abcdefgh",', 11 * 300_000)}0]`),
  'ten million objects': () => member(`[${fill('{},', 31 * MB)}0]`),
  'nesting, 100,000 deep': () => member('['.repeat(1e5) + ']'.repeat(1e5)),
  'nesting, 15 million deep': () => member('['.repeat(15e6) + ']'.repeat(15e6)),
  'duplicate names, 1 MB': () => `{${MESSAGES},${fill('"model":0,', MB)}"model":"auto"}`,
};
