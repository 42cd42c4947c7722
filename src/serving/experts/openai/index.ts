/** The kind `openai` as the registry lists it. */
import { reach } from '../access.ts';
import { apiBase } from '../api-base.ts';
import type { ExpertKind } from '../kind.ts';
import { TRUST_PATHS } from '../trust.ts';
import { OpenAiExpert } from './openai.ts';
import {
  addressObjection,
  isProxied,
  type OpenAiOptions,
  type OpenAiReplica,
  openaiOptions,
  replicasOf,
} from './options.ts';

export const openaiKind: ExpertKind<OpenAiOptions> = {
  kind: 'openai',
  summary:
    "Any server with OpenAI's chat completions: vLLM, SGLang, trtllm-serve, llama-server, Ollama, clouds",
  options: openaiOptions,
  // Engines batch in flight; 256 sequences is what vLLM and TensorRT-LLM admit unless told otherwise.
  inProcess: false,
  admission: { maxConcurrent: 256, firstTokenMs: 30_000 },
  replicas: (options) =>
    replicasOf(options).map(({ url, weight, metrics_url }) => ({
      name: url,
      weight,
      options: { ...options, url, metrics_url },
    })),
  objection: addressObjection,
  discover: ({ discover = null }) => discover,
  at: (options, url) => ({ ...options, discover: undefined, url }),
  paths: TRUST_PATHS,
  upstream: (options) =>
    isProxied(options)
      ? null
      : {
          servers: replicasOf(options).map(({ url, weight }) => ({ url: apiBase(url), weight })),
          connectTimeout: options.connect_timeout,
          silence: Math.max(options.header_timeout, options.idle_timeout),
          trust: options,
        },
  create: async (id, options, deps) => {
    const [{ url }] = replicasOf(options) as [OpenAiReplica];
    return new OpenAiExpert(id, options, await reach(id, { ...options, url }, deps), deps);
  },
};
