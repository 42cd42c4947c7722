/** The kinds of expert, one line each. The config schema, `--help` and the docs derive from this table. */
import type { ExpertKind } from './kind.ts';
import { openaiKind } from './openai/openai.ts';

/** `never` for the options: each kind's own schema has checked them before `create` is called. */
// biome-ignore lint/suspicious/noExplicitAny: a table of kinds with different option types has no narrower common type
export const EXPERT_KINDS: readonly ExpertKind<any>[] = [openaiKind];
