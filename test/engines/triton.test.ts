/** The triton kind against a real Triton server: NVIDIA's own binary with models of ours in its Python backend. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeExpert } from '../../src/experts/expert.contract.ts';
import { tritonExpert } from '../support/triton-expert.ts';
import { describeWith } from './component.ts';
import { type RealTriton, realTriton } from './triton/server.ts';

/** What the dialects tell; see docs/triton.md. */
const TELLS = {
  ensemble: { finishReason: false },
  core: { finishReason: false },
  llmapi: { usage: false },
  vllm: {},
} as const;

describeWith(['triton'], 'a real Triton server', (folder) => {
  let triton: RealTriton;
  beforeAll(async () => {
    triton = await realTriton(folder!, { load: ['ensemble', 'core', 'llmapi', 'vllm'] });
  });
  afterAll(() => triton?.stop());

  for (const [model, tells] of Object.entries(TELLS)) {
    for (const protocol of ['grpc', 'http'] as const) {
      describeExpert(
        `triton, ${model}, ${protocol}`,
        () => tritonExpert(triton[protocol], { model }),
        // A token of the core model is a byte; the text is as long for all.
        { tells, inUse: () => triton.running(), maxTokens: model === 'core' ? 256 : 64 },
      );
    }
  }

  describe('health', () => {
    it('is ready', async () => {
      const expert = await tritonExpert(triton.grpc, { model: 'ensemble' });
      expect(await expert.health(new AbortController().signal)).toMatchObject({ state: 'ready' });
      await expert.close();
    });
  });
});
