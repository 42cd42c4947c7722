/** The pure parts of the llama kind, without engine or weights. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { askOf } from '../expert.contract.tools.ts';
import { stopFilter } from '../stop.ts';
import { binaryPackage, ENGINE_VERSION, planInstall } from './install-plan.ts';
import { Slots } from './slots.ts';
import { withSystem } from './template.ts';
import { tokenText } from './token-text.ts';
import { messagesWithCalls, personSpokeLast } from './tools.ts';

it('installs one binary and none of the others, pinned by the shipped lockfile', async () => {
  const read = async (name: string) =>
    JSON.parse(await readFile(new URL(`../../../../engines/llama/${name}`, import.meta.url), 'utf8'));
  const [manifest, shipped] = [await read('package.json'), await read('package-lock.json')];
  const plan = planInstall('@node-llama-cpp/linux-x64', manifest, shipped);
  expect(manifest.dependencies['node-llama-cpp']).toBe(ENGINE_VERSION);
  expect(plan.pinned).toBe(true);
  const binaries = Object.keys(plan.lock.packages).filter((path) => path.includes('/@node-llama-cpp/'));
  expect(binaries).toEqual(['node_modules/@node-llama-cpp/linux-x64']);
  expect(plan.lock.packages[binaries[0]!]).not.toHaveProperty('optional');
  expect(JSON.stringify(shipped)).not.toContain('"resolved"');
});

it('names the cure where there is no binary', () => {
  expect(() => binaryPackage('sunos', 'sparc')).toThrow(/kind `openai`/);
});

it('lends in the order of asking, and forgets who left', async () => {
  const slots = new Slots(['only']);
  const never = new AbortController().signal;
  const leaving = new AbortController();
  const order: string[] = [];
  await slots.take(never);
  const left = slots.take(leaving.signal).catch(() => order.push('left'));
  const second = slots.take(never).then(() => order.push('second'));
  const third = slots.take(never).then(() => order.push('third'));
  leaving.abort();
  await left;
  slots.give('only');
  await second;
  slots.give('only');
  await third;
  expect(order).toEqual(['left', 'second', 'third']);
  slots.give('only');
  expect([slots.free, slots.waiting]).toEqual([1, 0]);
});

it('joins system prompts, and leaves later ones where they stand', () => {
  const system = (content: string) => ({ role: 'system', content });
  const user = { role: 'user', content: 'hi' };
  expect(withSystem('own', [system('theirs'), user, system('late')])).toEqual([
    system('own\n\ntheirs'),
    user,
    system('late'),
  ]);
  expect(withSystem(undefined, [user])).toEqual([user]);
});

it('holds a character back until its last byte has come', () => {
  const bytes = [...Buffer.from('é🙂!')];
  const detokenize = (tokens: readonly number[]) => Buffer.from(tokens).toString('utf8');
  const text = tokenText({ detokenize }, []);
  expect(bytes.map((byte) => text.push(byte))).toEqual(['', 'é', '', '', '', '🙂', '!']);
  text.push(0xf0);
  expect(text.flush()).toBe('\uFFFD');
});

it('finds a stop text across pieces and shows nothing of it', () => {
  const filter = stopFilter(['END', 'ENOUGH']);
  expect(filter.push('the E')).toEqual({ text: 'the ', stopped: null });
  expect(filter.push('N')).toEqual({ text: '', stopped: null });
  expect(filter.push('T, the EN')).toEqual({ text: 'ENT, the ', stopped: null });
  expect(filter.push('D of')).toEqual({ text: '', stopped: 'END' });
});

it('tells calls at once and their results in the order of both, as one message each', () => {
  const messages = askOf({
    messages: [
      { role: 'user', content: 'Compare the two.' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: ['Bern', 'Rome'].map((city, at) => ({
          id: `call_${at}`,
          type: 'function',
          function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
        })),
      },
      { role: 'tool', tool_call_id: 'call_0', content: 'rain' },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ],
  } as never).prompt();
  if (messages.kind !== 'conversation') throw new Error('no conversation');
  const called = (city: string) =>
    `<tool_call>\n{"name": "get_weather", "arguments": {"city":"${city}"}}\n</tool_call>`;
  expect(messagesWithCalls(messages.messages)).toEqual([
    { role: 'user', content: 'Compare the two.' },
    { role: 'assistant', content: `I look.\n${called('Bern')}\n${called('Rome')}` },
    {
      role: 'user',
      content: '<tool_response>\nrain\n</tool_response>\n<tool_response>\nsun\n</tool_response>',
    },
  ]);
  expect(personSpokeLast(messages.messages)).toBe(false);
  expect(personSpokeLast(messages.messages.slice(0, 1))).toBe(true);
});
