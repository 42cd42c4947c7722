/** The router's config for the planned experts. */
import { type EngineExpert, type EnginePlan, tokenizerOnHost } from './plan.ts';
import { yamlText } from './yaml-text.ts';

export interface RouterExpert {
  readonly id: string;
  readonly kind: string;
  readonly url: string;
  readonly model: string;
  readonly [option: string]: unknown;
}

/** @param comment lines above the config, without `#` */
export function routerConfig(comment: string, experts: readonly RouterExpert[]): string {
  return yamlText(comment, { experts });
}

/** An expert that speaks OpenAI's API, on this machine. */
export function openaiExpert(id: string, port: number, model: string): RouterExpert {
  return { id, kind: 'openai', url: `http://127.0.0.1:${port}/v1`, model };
}

/**
 * `max_concurrent` is the engine's batch size: further requests queue in the router, which can still send them
 * elsewhere.
 */
export function enginesConfig(plan: EnginePlan): string {
  const comment =
    'Check: expert-router check, expert-router doctor. Serve: expert-router serve --config <this file>\n' +
    'Describe what each expert is good at (description, samples), and the router assigns it the matching clusters;\n' +
    'otherwise clusters are divided evenly.';
  return routerConfig(
    comment,
    plan.experts.map((expert) => ({
      ...(plan.serve === 'trtllm-serve'
        ? openaiExpert(expert.id, expert.ports.http, expert.model.name)
        : tritonExpert(plan, expert)),
      max_concurrent: expert.model.size.maxBatch,
    })),
  );
}

function tritonExpert(plan: EnginePlan, { id, ports, model }: EngineExpert): RouterExpert {
  return {
    id,
    kind: 'triton',
    url: `grpc://127.0.0.1:${ports.grpc}`,
    model: plan.serve === 'legacy' ? 'tensorrt_llm_bls' : 'tensorrt_llm',
    dialect: plan.serve === 'legacy' ? 'ensemble' : 'llmapi',
    // With several servers on one machine, only the first could use the default port.
    metrics_url: `http://127.0.0.1:${ports.metrics}/metrics`,
    tokenizer: tokenizerOnHost(plan, model),
  };
}
