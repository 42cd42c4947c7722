/** To simulate experts on GPUs under a load, and to plan for one, before either exists. */
export { UserError } from './core/errors.ts';
export { bindPolicy } from './deciding/routing/policy.ts';
export {
  type Deployment,
  type DeploymentNames,
  deployment,
  describeDeployment,
} from './simulating/deployment.ts';
export { simulateFleet } from './simulating/fleet/event-loop.ts';
export type { ExpertMeasures, StageMeasures } from './simulating/fleet/measures.ts';
export { type Prompts, ringPrompts } from './simulating/fleet/prompts.ts';
export type { FleetScenario, ReplayedRequest, SimulatedExpertSpec } from './simulating/fleet/scenario.ts';
export type { Percentiles } from './simulating/fleet/sketch.ts';
export { GPU_NAMES } from './simulating/hardware/gpu.ts';
export { PRECISION_NAMES } from './simulating/hardware/precision.ts';
export { DEFAULT_LIMITS, type EngineLimits } from './simulating/memory.ts';
export { MODEL_NAMES } from './simulating/model/catalog.ts';
export { shapeFromConfig } from './simulating/model/huggingface.ts';
export { type Demand, type Level, type Load, parseLevels } from './simulating/planner/demand.ts';
export { type PlanFigures, planFigures } from './simulating/planner/figures.ts';
export {
  type Placement,
  type Proposal,
  type SearchResult,
  type SearchSpace,
  search as searchPlacements,
} from './simulating/planner/placements.ts';
export { pricesFrom } from './simulating/planner/prices.ts';
export type { Arrivals } from './simulating/workload/arrivals.ts';
export { zipfShares } from './simulating/workload/clusters.ts';
export { type LengthModel, NAMED_LENGTHS } from './simulating/workload/lengths.ts';
