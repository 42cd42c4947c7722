/** The kind `triton` as tests make it. */
import type { Expert } from '../../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../../src/serving/experts/kind.ts';
import { tritonKind } from '../../src/serving/experts/triton/index.ts';
import { byteTokenizer } from './byte-tokenizer.ts';

const tokenizer = byteTokenizer();

export function tritonExpert(
  url: string,
  options: Readonly<Record<string, unknown>> = {},
  deps: Partial<ExpertDeps> = {},
): Promise<Expert> {
  let ids = 0;
  const parsed = tritonKind.options.parse({ url, tokenizer, ...options });
  return tritonKind.create('expert', parsed, {
    cacheFolder: '',
    environment: {},
    newId: (prefix) => `${prefix}-${++ids}`,
    now: () => 1_700_000_000_000,
    log: () => {},
    ...deps,
  });
}
