/** Which options of `emulate` go together, and what is said of a model that cannot be emulated. */
import { expect, it } from 'vitest';
import { engineOf } from './engine.ts';

it('says which deployment sets the pace, and by how much times are stretched', async () => {
  expect((await engineOf({})).words).toBe('');
  const { words } = await engineOf({ model: 'llama-3.1-8b' });
  expect(words).toMatch(
    /llama-3.1-8b fp8, 1 x h100 each, tensorrt-llm, [\d,]+ tokens of KV cache, in real time/,
  );
  const slow = await engineOf({ model: 'llama-3.1-8b', gpu: 'a100', slowDown: 20 });
  expect(slow.words).toMatch(/fp16, 1 x a100.* all times 20 times as long/);
});

it.each([
  [{ model: 'llama-9' }, /no built-in shape is called "llama-9"/],
  [{ model: 'llama-3.1-8b', gpu: 'h10' }, /Did you mean "h100"/],
  [{ model: 'llama-3.1-405b' }, /does not fit: each GPU has/],
  [{ model: 'llama-3.1-8b', tp: 3 }, /cannot be split over 3 GPUs/],
  [{ model: 'llama-3.1-8b', tpotFull: 5 }, /--tpot-full: --model already determines/],
  [{ slowDown: 2 }, /--slow-down: needs --model/],
])('refuses %j', async (options, message) => {
  await expect(engineOf(options)).rejects.toThrow(message);
});
