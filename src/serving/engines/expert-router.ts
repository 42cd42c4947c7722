/** This product's own servers: another router, and the emulator. */
import { adapterCalls } from './adapter-calls.ts';
import type { EngineFacts } from './engine.ts';

export const expertRouter: EngineFacts = {
  id: 'expert-router',
  name: 'Expert Router',
  speaks: ['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages'],
  signs: { ownedBy: ['expert-router'] },
  metrics: { pages: [], load: [], cure: "a router's own load is not its experts'" },
  noExpert: 'a router is no expert of a router',
};

export const emulator: EngineFacts = {
  id: 'emulator',
  name: 'Expert Router emulator',
  speaks: ['openai-chat', 'openai-completions'],
  signs: { ownedBy: ['emulated'] },
  metrics: { pages: [{ path: '/metrics' }], load: [], cure: 'the emulator serves them beside its API' },
  loading: adapterCalls('/v1/load_lora_adapter', '/v1/unload_lora_adapter'),
};
