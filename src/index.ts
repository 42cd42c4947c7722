/** The gateway for a program to embed; the other entry points of the package are named in its `exports`. */
export { RouterError, UserError } from './core/errors.ts';
export {
  createGateway,
  type EmbeddedGateway,
  type GatewayOptions,
  type InForce,
  type RouteDecision,
} from './serving/app/app.ts';
export type { DecisionNote } from './serving/app/assembly.ts';
export { type CheckOptions, type ConfigSource, checkConfig } from './serving/app/source.ts';
export type { Clock, World } from './serving/app/world.ts';
export type { ExpertInput } from './serving/config/expert-fields.ts';
export type { Config, ConfigInput } from './serving/config/schema.ts';
