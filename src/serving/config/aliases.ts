/** What a config says of other names that requests may use: for an expert, for `auto`, or for a choice among some. */
import { z } from 'zod';
import { nearestName } from '../../core/suggest.ts';
import { type PolicyChoice, policyField } from '../../deciding/routing/policy-choice.ts';
import type { Catalogue } from './catalogue.ts';
import { type ExpertConfig, expertId } from './expert-fields.ts';

const aliasName = z
  .string()
  .regex(/^[a-z0-9*][a-z0-9._:/*@-]{0,127}$/i, 'letters, digits and . - _ : / @ and *, at most 128')
  .refine((name) => name !== 'auto', "another name: 'auto' is taken");

/** @param policies those that an alias may choose */
export function aliasesField(policies: Catalogue['policies']) {
  const among = z.array(expertId).min(1, 'at least one expert');
  const choice = z.strictObject({
    experts: among.optional().describe('Candidates; every expert when absent'),
    policy: policyField(policies)
      .optional()
      .describe("Chooses among them; the config's own policy when absent"),
  });
  return z
    .record(aliasName, z.union([z.string().min(1), among, choice]))
    .default({})
    .describe(
      'Other model names that requests may use, `*` for any characters: for an expert, for `auto`, for a choice among some experts, or for one with a policy of its own',
    )
    .meta({ examples: [{ 'gpt-4o': 'auto', 'auto/fast': { policy: 'least-loaded' } }] });
}

/** An alias as people write it. */
export type AliasInput =
  | string
  | readonly string[]
  | { readonly experts?: readonly string[] | undefined; readonly policy?: string | PolicyChoice | undefined };

/** What a model name besides the experts' own and `auto` stands for; a text is an expert's id, or `auto`. */
export type Alias =
  | string
  | { readonly experts: readonly string[] | null; readonly policy: PolicyChoice | null };

export function aliasOf(written: AliasInput): Alias {
  if (typeof written === 'string') return written;
  if (isList(written)) return { experts: written, policy: null };
  const { experts = null, policy = null } = written;
  return { experts, policy: typeof policy === 'string' ? { name: policy } : policy };
}

function isList(value: AliasInput): value is readonly string[] {
  return Array.isArray(value);
}

interface Named {
  readonly aliases: Record<string, AliasInput>;
  readonly side_requests?: string;
  readonly experts: readonly ExpertConfig[];
}

/** Reports experts that the config names and does not have. */
export function checkNames(config: unknown, context: z.RefinementCtx): void {
  const { aliases, side_requests: side, experts } = config as Named;
  const ids = experts.map(({ id }) => id);
  const report = (path: readonly PropertyKey[], name: string, known: readonly string[]): void => {
    const near = nearestName(name, known);
    const cure = near ? `did you mean '${near}'?` : `there are: ${ids.join(', ')}`;
    const message = Object.hasOwn(aliases, name)
      ? `'${name}' is an alias itself; name what it stands for`
      : `no expert is called '${name}'; ${cure}`;
    context.addIssue({ code: 'custom', path: [...path], message });
  };
  const unknown = (path: readonly PropertyKey[], name: string): void =>
    report(['aliases', ...path], name, [...ids, 'auto']);
  if (side !== undefined && !ids.includes(side)) report(['side_requests'], side, ids);
  for (const [name, written] of Object.entries(aliases)) {
    if (ids.includes(name))
      context.addIssue({ code: 'custom', path: ['aliases', name], message: 'an expert has this name' });
    const alias = aliasOf(written);
    if (typeof alias === 'string') {
      if (alias !== 'auto' && !ids.includes(alias)) unknown([name], alias);
    } else for (const id of alias.experts ?? []) if (!ids.includes(id)) unknown([name], id);
  }
}
