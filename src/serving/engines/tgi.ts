/** Hugging Face's Text Generation Inference: router/src/server.rs. */
import { field } from './answers.ts';
import { jsonOf } from './ask.ts';
import { type EngineFacts, signal } from './engine.ts';

export const tgi: EngineFacts = {
  id: 'tgi',
  name: 'TGI',
  speaks: ['openai-chat', 'openai-completions'],
  signs: {
    pages: ['/info'],
    is: (answers) =>
      field(answers, '/info', 'model_id') !== null && 'max_total_tokens' in jsonOf(answers['/info'])!,
    version: (answers) => field(answers, '/info', 'version'),
    model: (answers) => field(answers, '/info', 'model_id'),
  },
  metrics: {
    pages: [{ path: '/metrics' }],
    load: [
      {
        // tgi_batch_current_max_tokens counts tokens, not a share of the cache.
        running: signal('sum', 'tgi_batch_current_size'),
        waiting: signal('sum', 'tgi_queue_size'),
        kvCacheUse: null,
        modelLabel: null,
      },
    ],
    cure: 'TGI serves them beside its API',
  },
  // 424 (failed dependency) means that the generation failed.
  quirks: { statuses: { 424: 502 } },
};
