/** The kinds of expert, one line each. The config schema, `--help` and the docs derive from this table. */
import { anthropicKind } from './anthropic/anthropic.ts';
import { emulatedKind } from './emulated/index.ts';
import type { ExpertKind } from './kind.ts';
import { llamaKind } from './llama/index.ts';
import { openaiKind } from './openai/index.ts';
import { tritonKind } from './triton/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: a table of kinds with different option types has no narrower common type
export const EXPERT_KINDS: readonly ExpertKind<any>[] = [
  llamaKind,
  openaiKind,
  tritonKind,
  anthropicKind,
  emulatedKind,
];
