/** The kind `triton` as the registry lists it. */
import { readFile } from 'node:fs/promises';
import { describeError, UserError } from '../../../core/errors.ts';
import { throughProxy } from '../access.ts';
import type { ExpertKind } from '../kind.ts';
import { connectTriton } from './connect.ts';
import { metricsUrl, replicasOf, type TritonOptions, tritonOptions } from './options.ts';
import { promptMaker } from './prompt.ts';
import { readTokenizer } from './tokenizer.ts';
import { TritonExpert } from './triton-expert.ts';

export const tritonKind: ExpertKind<TritonOptions> = {
  kind: 'triton',
  summary:
    "a language model on NVIDIA's Triton server, by gRPC or HTTP: TensorRT-LLM (three dialects) and vLLM",
  options: tritonOptions,
  paths: ['tokenizer'],
  // Engines batch in flight; 256 sequences is what vLLM and TensorRT-LLM admit unless told otherwise.
  inProcess: false,
  admission: { maxConcurrent: 256, firstTokenMs: 30_000 },
  replicas: (options) =>
    replicasOf(options).map(({ url, weight }) => ({ name: url, weight, options: { ...options, url } })),
  create: async (id, options, deps) => {
    const { load, model, headers, restricted_api: restrictedApi } = options;
    if (load && !model) {
      throw new UserError(`Expert '${id}': \`load: true\` needs \`model\`, the name of the model to load.`);
    }
    if (deps.loadedWhenNeeded && !model)
      throw new UserError(
        `Expert '${id}': \`start: engine\` needs \`model\`, the name of the model to load.`,
      );
    if (load && deps.loadedWhenNeeded)
      throw new UserError(
        `Expert '${id}': \`start: engine\` loads the model when it is needed; leave out \`load: true\`.`,
      );
    const files = options.tokenizer === undefined ? null : await readTokenizer(options.tokenizer);
    const makePrompt = await promptMaker(id, options.chat_template, files);
    const { url } = replicasOf(options)[0]!;
    // As of http and https: gRPC goes through a tunnel too.
    const proxy = throughProxy(id, { url: url.replace(/^grpc/, 'http'), proxy: options.proxy }, deps);
    const server = await connectTriton(
      url,
      { headers, restrictedApi, ca: await authority(options.tls_ca), proxy },
      { connect: options.connect_timeout, first: options.header_timeout, idle: options.idle_timeout },
    );
    const metrics = metricsUrl(new URL(url), options.metrics_url);
    return new TritonExpert(id, options, { url, server, makePrompt, files, metrics, proxy }, deps);
  },
};

async function authority(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`tls_ca: ${path} cannot be read: ${describeError(error)}`);
  }
}
