/** Picks the parts: from a config to a router, its experts and a gateway. The only place that knows them all. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type Config, type ExpertConfig, kindOptions } from '../config/schema.ts';
import { describeError, UserError } from '../core/errors.ts';
import type { Expert } from '../experts/expert.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import { Router } from '../gateway/router.ts';
import { readRouterModel } from '../model/artefact.ts';
import { embedText } from '../model/classify.ts';
import type { RouterModel } from '../model/router-model.ts';
import { assignClusters, type ClusterAssignment, type ExpertProfile } from '../routing/assignment.ts';
import { POLICIES } from '../routing/policies.ts';
import type { LoadSnapshot } from '../routing/policy.ts';
import { plainText } from '../text/routable.ts';
import { cacheFolder } from './cache-folder.ts';
import { progressBar } from './progress.ts';
import { shipped } from './shipped.ts';
import { StandIns } from './stand-ins.ts';

export const DEFAULT_CONFIG = shipped('presets/embedded.yaml');
export const DEFAULT_MODEL = shipped('models/default.router.safetensors');

/** @throws UserError when the file is missing or no router model. */
export async function loadRouterModel(config: Pick<Config, 'router'>): Promise<RouterModel> {
  const file = config.router ?? DEFAULT_MODEL;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError(`Cannot read the router model ${file}: ${describeError(error)}`);
  }
  try {
    return readRouterModel(bytes);
  } catch (error) {
    throw new UserError(`${file}: ${describeError(error)}`);
  }
}

/** Which expert serves which cluster, by the config and the model alone: no expert is started. */
export function assign(config: Config, model: RouterModel): readonly ClusterAssignment[] {
  return assignClusters(
    model,
    config.experts.map((expert) => profile(expert, model)),
  );
}

function profile(expert: ExpertConfig, model: RouterModel): ExpertProfile {
  const texts = [...(expert.description ? [expert.description] : []), ...(expert.samples ?? [])];
  return {
    id: expert.id,
    clusters: expert.clusters ?? [],
    texts: texts.map((text) => ({ text, vector: embedText(model, plainText(text)) })),
    fallback: expert.fallback,
  };
}

/** The router of a config. Until load is measured, every expert counts as free. */
export function composeRouter(config: Config, model: RouterModel): Router {
  const fallback = config.experts.findIndex((expert) => expert.fallback);
  const idle: LoadSnapshot = {
    inFlight: 0,
    queued: 0,
    outstandingTokens: 0,
    tokensPerSecond: 0,
    capacity: Number.POSITIVE_INFINITY,
    available: true,
  };
  const loads = config.experts.map(() => idle);
  return new Router({
    model,
    territory: {
      experts: config.experts.map((expert) => expert.id),
      owners: assign(config, model).map((one) => one.expert),
      fallback: fallback >= 0 ? fallback : null,
    },
    policy: POLICIES[config.policy],
    secondsPerAffinity: config.seconds_per_affinity,
    loads: () => loads,
    random: Math.random,
  });
}

/** Starts every expert of the config, in its order. */
export async function composeExperts(config: Config, deps: ExpertDeps): Promise<readonly Expert[]> {
  const standIns = new StandIns(deps);
  const experts: Expert[] = [];
  for (const expert of config.experts) {
    const kind = EXPERT_KINDS.find((candidate) => candidate.kind === expert.kind)!;
    const options = kindOptions(expert);
    experts.push(
      await standIns.instead(expert.id, kind, options, () => kind.create(expert.id, options, deps)),
    );
  }
  return experts;
}

export function expertDeps(log: (line: string) => void): ExpertDeps {
  return {
    cacheFolder: cacheFolder(process.env, process.platform, homedir()),
    environment: process.env,
    newId: (prefix) => `${prefix}-${randomUUID().replaceAll('-', '')}`,
    now: Date.now,
    progress: progressBar,
    log,
  };
}
