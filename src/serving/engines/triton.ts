/**
 * Triton, whatever its backend, over KServe's protocol or behind its OpenAI frontend. Metrics: Triton's
 * docs/user_guide/metrics.md and custom_metrics_reporter.cc of TensorRT-LLM's backend; the frontend:
 * python/openai/openai_frontend/engine/utils/triton.py.
 */
import { field } from './answers.ts';
import { type EngineFacts, signal } from './engine.ts';

export const triton: EngineFacts = {
  id: 'triton',
  name: 'Triton',
  speaks: ['kserve'],
  signs: {
    ownedBy: ['Triton Inference Server'],
    pages: ['/v2'],
    is: (answers) => field(answers, '/v2', 'name') === 'triton',
    version: (answers) => field(answers, '/v2', 'version'),
  },
  ports: [
    { port: 8000, protocol: 'http' },
    { port: 8001, protocol: 'grpc' },
  ],
  metrics: {
    // HTTP, gRPC and metrics listen on 8000, 8001 and 8002; the OpenAI frontend has its page beside its API.
    pages: [{ path: '/metrics', portShift: 2 }, { path: '/metrics' }],
    load: [
      {
        // TensorRT-LLM's backend in C++.
        running: {
          names: ['nv_trt_llm_request_metrics'],
          labels: { request_type: 'active' },
          over: 'sum',
        },
        waiting: {
          names: ['nv_trt_llm_request_metrics'],
          labels: { request_type: 'waiting' },
          over: 'sum',
        },
        kvCacheUse: {
          names: ['nv_trt_llm_kv_cache_block_metrics'],
          labels: { kv_cache_block_type: 'fraction' },
          over: 'mean',
        },
        modelLabel: 'model',
      },
      {
        // Triton itself. Not by model: what an ensemble has pending is counted at its steps, which bear other names.
        // One of several instances on several GPUs each has a sample.
        running: null,
        waiting: signal('sum', 'nv_inference_pending_request_count'),
        kvCacheUse: null,
        modelLabel: null,
      },
    ],
    cure: 'start Triton with --allow-metrics=true; it listens on 8002 unless --metrics-port says otherwise',
  },
  // Of the OpenAI frontend, whose --default-max-tokens is 16.
  quirks: { cutsAt16: ['openai-chat', 'openai-completions'] },
  cures: {
    'wrong-model': 'set model to one of these, or load it: expert-router triton load URL MODEL',
    'not-loaded': 'load it: expert-router triton load URL MODEL; that needs --model-control-mode=explicit',
    unauthorized: 'name the key of its restricted API in restricted_api',
  },
};
