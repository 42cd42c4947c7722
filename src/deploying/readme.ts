/** The folder's own README: what to run, in order, and the figures behind the limits. */
import type { EnginePlan, ServedModel } from './plan.ts';

const HOW: Readonly<Record<EnginePlan['serve'], string>> = {
  'trtllm-serve': "TensorRT-LLM's own server with OpenAI's API (`trtllm-serve`)",
  triton: "Triton with TensorRT-LLM's `llmapi` model",
  legacy: 'Triton with compiled TensorRT-LLM engines',
};

export function readme(plan: EnginePlan): string {
  const { gpu, tensorParallel } = plan.models[0]!.size.deployment;
  const each = tensorParallel === 1 ? 'one GPU each' : `${tensorParallel} GPUs each`;
  return `# ${plan.experts.length} experts on ${gpu.label}, ${each}

Served by ${HOW[plan.serve]} in
${plan.images.serve}.
Written by \`expert-router engine\`; none of it has been run on a GPU yet.

    ./prepare.sh                            # downloads, quantises and builds the models, once
    docker compose up --detach --wait       # returns when every expert is healthy
    expert-router check router.yaml
    expert-router serve --config router.yaml

| expert | model | GPU | ports |
|---|---|---|---|
${plan.experts.map(({ id, model, gpus, ports }) => `| ${id} | ${model.name} | ${gpus.join(', ')} | ${Object.values(ports).join(', ')} |`).join('\n')}

Computed limits (the same arithmetic as \`expert-router plan\`; \`plan.json\` has all figures):

| model | weights | cache | tokens in it | batch | tokens per step | longest request |
|---|---|---|---|---|---|---|
${plan.models.map(row).join('\n')}
`;
}

function row({ name, size }: ServedModel): string {
  const { figures } = size;
  return `| ${name} | ${figures.weights_gb} GB | ${figures.kv_cache_gb} GB | ${figures.max_tokens_in_kv} | ${size.maxBatch} | ${size.maxTokens} | ${size.maxSequence} |`;
}
