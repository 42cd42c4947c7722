/**
 * How a file chooses a policy: by its id, or as an object with `name` and options. With a bare id, options may stand
 * beside `policy`. The schema derives from a table of policies.
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';
import { type AnyPolicy, type BoundPolicy, bindPolicy } from './policy.ts';

/** A policy and its own options, as plain data. */
export interface PolicyChoice {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** The part of a file's schema in which a policy is chosen, and how to read it. */
export interface PolicyPart {
  /** `policy`, and the options that may stand beside it. */
  readonly fields: { readonly policy: z.ZodType<string | PolicyChoice> };
  /** Reports options beside a policy that already has its own: they would be ignored. */
  check(file: PolicyFile, context: z.RefinementCtx): void;
  /**
   * The policy that a validated file chooses, without options that belong to other policies.
   * @param name a policy to use instead of the file's, with the options that the file has for it
   * @throws UserError for a name that is not in the table
   */
  chosen(file: PolicyFile, name?: string): PolicyChoice;
}

/** Options appear among the file's other fields. */
export interface PolicyFile {
  readonly policy: string | PolicyChoice;
}

/**
 * @param preset the policy of a file that names none
 * @param taken names of the file's other fields; an option with such a name can only be set inside `policy`
 */
export function policyPart(
  policies: readonly AnyPolicy[],
  preset: string,
  taken: readonly string[],
): PolicyPart {
  const beside = optionsBeside(policies, taken);
  const given = (file: PolicyFile): readonly (readonly [string, unknown])[] =>
    Object.entries(file).filter(([name, value]) => name in beside && value !== undefined);
  return {
    fields: { ...beside, policy: policyField(policies).default(preset) },
    check: (file, context) => {
      if (typeof file.policy === 'string') return;
      const message = `belongs inside 'policy', beside its name '${file.policy.name}'`;
      for (const [name] of given(file)) context.addIssue({ code: 'custom', path: [name], message });
    },
    chosen: (file, name = typeof file.policy === 'string' ? file.policy : file.policy.name) => {
      if (typeof file.policy !== 'string' && file.policy.name === name) return file.policy;
      const { shape } = policyNamed(policies, name).options;
      return { name, ...Object.fromEntries(given(file).filter(([option]) => option in shape)) };
    },
  };
}

/** A policy as a file names it: its id, or an object with `name` and options. */
export function policyField(policies: readonly AnyPolicy[]): z.ZodType<string | PolicyChoice> {
  const full = policies.map(({ id, summary, options }) =>
    z.strictObject({ ...options.shape, name: z.literal(id) }).describe(summary),
  );
  const summaries = policies.map(({ id, summary }) => `\`${id}\`: ${summary}`);
  return z
    .union([
      z.enum(policies.map(({ id }) => id)),
      z.discriminatedUnion('name', full as unknown as [z.ZodObject, ...z.ZodObject[]]),
    ])
    .describe(`Where a request goes; a name, or a name with options. ${summaries.join('; ')}`) as z.ZodType<
    string | PolicyChoice
  >;
}

/** Every option of every policy, without its default, so that it is known whether it was given. */
function optionsBeside(
  policies: readonly AnyPolicy[],
  taken: readonly string[],
): Readonly<Record<string, z.ZodType>> {
  const fields: Record<string, z.ZodType> = {};
  for (const { id, options } of policies)
    for (const [name, option] of Object.entries(options.shape as Record<string, z.ZodType>)) {
      if (taken.includes(name)) continue;
      const type = (option instanceof z.ZodDefault ? option.unwrap() : option) as z.ZodType;
      const known = fields[name];
      fields[name] = (known ? z.union([known, type]) : type)
        .optional()
        .describe(`For \`policy: ${id}\`: ${option.description ?? name}`);
    }
  return fields;
}

/** @throws UserError for options that the policy does not take */
export function bindChoice(policies: readonly AnyPolicy[], { name, ...options }: PolicyChoice): BoundPolicy {
  return bindPolicy(policyNamed(policies, name), options);
}

function policyNamed(policies: readonly AnyPolicy[], name: string): AnyPolicy {
  const found = policies.find(({ id }) => id === name);
  if (found) return found;
  const ids = policies.map(({ id }) => id);
  const near = nearestName(name, ids);
  throw new UserError(
    `policy: "${name}" is not known.${near ? ` Did you mean "${near}"?` : ` Known: ${ids.join(', ')}.`}`,
  );
}
