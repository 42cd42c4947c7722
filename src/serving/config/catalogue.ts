/** What a config may choose from: the kinds of expert and the policies. */
import { UserError } from '../../core/errors.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import type { AnyPolicy } from '../../deciding/routing/policy.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import type { ExpertKind } from '../experts/kind.ts';

// biome-ignore lint/suspicious/noExplicitAny: kinds with different options have no narrower common type
export type AnyKind = ExpertKind<any>;

export interface Catalogue {
  readonly kinds: readonly AnyKind[];
  readonly policies: readonly AnyPolicy[];
}

/** What ships. */
export const SHIPPED: Catalogue = { kinds: EXPERT_KINDS, policies: POLICIES };

const NAME = /^[a-z][a-z0-9-]*$/;

/** What ships and what a program adds. @throws UserError for a name that is malformed or taken */
export function catalogueWith({ kinds = [], policies = [] }: Partial<Catalogue>): Catalogue {
  const all = { kinds: [...SHIPPED.kinds, ...kinds], policies: [...SHIPPED.policies, ...policies] };
  refuseNames(
    'kind of expert',
    all.kinds.map(({ kind }) => kind),
  );
  refuseNames(
    'policy',
    all.policies.map(({ id }) => id),
  );
  return all;
}

function refuseNames(what: string, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (!NAME.test(name))
      throw new UserError(
        `'${name}' cannot name a ${what}: use lower-case letters, digits and dashes, a letter first.`,
      );
    if (names.indexOf(name) < index) throw new UserError(`There is already a ${what} called '${name}'.`);
  }
}
