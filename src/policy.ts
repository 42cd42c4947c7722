/** To write a policy of your own: how the experts are ordered for one request. */
export { z } from 'zod';
export { UserError } from './core/errors.ts';
export { expectedWait } from './deciding/routing/expected-wait.ts';
export { POLICIES } from './deciding/routing/policies/index.ts';
export {
  type AnyPolicy,
  type BoundPolicy,
  bindPolicy,
  type Candidate,
  definePolicy,
  idleLoad,
  type LoadSnapshot,
  type Policy,
  type PolicyContext,
  type RequestView,
} from './deciding/routing/policy.ts';
