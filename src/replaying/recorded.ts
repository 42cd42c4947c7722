/**
 * What a gateway recorded, as a load for the simulation: requests at their times, with their lengths and their
 * classifications, and how it really went.
 */
import { UserError } from '../core/errors.ts';
import { spaceId } from '../deciding/model/artefact.ts';
import { classifyEmbedded } from '../deciding/model/classify.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import { standingOf } from '../deciding/routing/decide.ts';
import { idleLoad, type LoadSnapshot } from '../deciding/routing/policy.ts';
import type { Classified, Territory } from '../deciding/routing/territory.ts';
import { recordLines } from '../serving/records/read.ts';
import { type DecisionLine, unpackVector } from '../serving/records/record.ts';
import type { Prompts } from '../simulating/fleet/prompts.ts';
import type { FleetScenario, ReplayedRequest } from '../simulating/fleet/scenario.ts';
import { type Percentiles, Sketch } from '../simulating/fleet/sketch.ts';
import type { Notice } from './notices.ts';

/** How it really went, with the fields of a simulated stage. */
export interface Recorded {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly e2e_ms: Percentiles;
  /** Share of requests that were answered by the expert that suits them best. */
  readonly at_home: number;
  /** Answered requests by expert. */
  readonly experts: Readonly<Record<string, number>>;
}

export interface RecordedLoad {
  /** Ids of the config's experts, in its order. */
  readonly experts: readonly string[];
  /** Seconds from the first request, ascending. */
  readonly times: readonly number[];
  readonly replay: readonly ReplayedRequest[];
  /** A kind of prompt per request. */
  readonly prompts: Prompts;
  readonly really: Recorded;
  readonly notices: readonly Notice[];
}

/** Requests that a replay holds in memory; the latest are taken. */
const MOST = 200_000;

export interface Decisions {
  /** By time, ascending; at least one. */
  readonly lines: readonly DecisionLine[];
  /** What was left out and why. */
  readonly notices: readonly Notice[];
}

/** What tells where a prompt belongs. */
export interface Deciding {
  readonly model: RouterModel;
  readonly territory: Territory;
}

/**
 * The requests as a load, and how they really went. Pure: the same lines give the same load.
 * @param asDecided whether prompts belong where the gateway found them to, with their conversations, and not where their
 *   last turn alone does: for the router model that decided them
 */
export function replayOf(
  { lines, notices }: Decisions,
  { model, territory }: Deciding,
  asDecided = true,
): RecordedLoad {
  const { list: mean, unknown } = meanTokens(lines);
  const insisted = lines.filter(({ reason }) => reason === 'named' || reason === 'forced').length;
  const classified = lines.map((line) => classifiedAgain(model, line));
  const { experts, ...map } = territory;
  const start = lines[0]!.at;
  const recorded = really(lines, territory, classified);
  return {
    experts,
    times: lines.map(({ at }) => (at - start) / 1000),
    replay: lines.map((line, prompt) => ({
      promptTokens: Math.max(1, line.prompt_tokens ?? mean.promptTokens),
      outputTokens: Math.max(1, line.completion_tokens ?? mean.outputTokens),
      prompt,
    })),
    prompts: {
      ...map,
      turns: classified.map((one) => [one]),
      unavailable: lines.map(({ out = [] }) => out.map((id) => experts.indexOf(id))),
      ...(asDecided ? { settled: lines.map((line) => settledOf(experts, line)) } : {}),
    },
    really: recorded,
    notices: [
      ...notices,
      ...told({ kind: 'lengths', count: unknown, prompt: mean.promptTokens, output: mean.outputTokens }),
      ...told({ kind: 'insisted', count: insisted }),
      ...told({ kind: 'away', count: lines.filter(({ spilled_for: why }) => why === 'unavailable').length }),
      ...told({ kind: 'retried', count: lines.filter(({ tries }) => tries > 1).length }),
      ...told({ kind: 'failed', count: recorded.errors }),
    ],
  };
}

/** @throws UserError when the config has another number of experts than the placement */
export function recordedPrompts(
  { experts, prompts }: RecordedLoad,
  simulated: number,
): Pick<FleetScenario, 'shares' | 'prompts'> {
  if (experts.length !== simulated)
    throw new UserError(
      `placements: ${simulated} experts, but the config of the records has ${experts.length} (${experts.join(', ')}); a placement needs one for each, in that order.`,
    );
  return { prompts, shares: prompts.turns.map(() => 1 / prompts.turns.length) };
}

/**
 * @param lastMs only requests of the last so many milliseconds before the latest one
 * @throws UserError when the folder holds nothing that this model's clusters can be found for
 */
export async function readDecisions(dir: string, model: RouterModel, lastMs: number): Promise<Decisions> {
  const space = spaceId(model);
  const { lines: all, broken, foreign, older } = await gather(dir, space);
  if (all.length === 0)
    throw new UserError(
      foreign > 0
        ? `The ${foreign} decisions in ${dir} are by another router model: name the config that they were made with (--config).`
        : `There is no decision in ${dir}.`,
    );
  const from = all.at(-1)!.at - lastMs;
  const lines = all.filter(({ at }) => at >= from);
  const notices = [
    ...told({ kind: 'broken', count: broken }),
    ...told({ kind: 'foreign', count: foreign }),
    ...told({ kind: 'latest', count: older && lines.length === MOST ? MOST : 0 }),
  ];
  return { lines, notices };
}

/** Nothing where it concerns nothing. */
function told(notice: Notice & { readonly count: number }): readonly Notice[] {
  return notice.count > 0 ? [notice] : [];
}

interface Gathered {
  /** By time, ascending; at most MOST. */
  readonly lines: readonly DecisionLine[];
  /** Lines that cannot be read, and decisions of another space. */
  readonly broken: number;
  readonly foreign: number;
  /** Whether there were more, older ones. */
  readonly older: boolean;
}

/** Whatever the size of the folder, it holds no more than twice as many lines as are replayed. */
async function gather(dir: string, space: string): Promise<Gathered> {
  const lines: DecisionLine[] = [];
  let [broken, foreign, older] = [0, 0, false];
  const keepLatest = (): void => {
    lines.sort((a, b) => a.at - b.at);
    older ||= lines.length > MOST;
    lines.splice(0, Math.max(0, lines.length - MOST));
  };
  for await (const line of recordLines(dir)) {
    if (line === null) broken += 1;
    else if (line.kind !== 'decision') continue;
    else if (line.space !== space) foreign += 1;
    else if (lines.push(line) >= 2 * MOST) keepLatest();
  }
  keepLatest();
  return { lines, broken, foreign, older };
}

/** By its last turn alone. */
function homeOf(territory: Territory, turn: Classified, loads: readonly LoadSnapshot[]): string {
  return territory.experts[standingOf(territory, [turn], loads).home.expert]!;
}

/** What the gateway found the prompt to belong to; undefined where the client chose, and for lines of earlier versions. */
function foundHome({ home, reason }: DecisionLine): string | undefined {
  return reason === 'named' || reason === 'forced' ? undefined : home;
}

/** Null where it is unknown, or its home is no expert of the config any more. */
function settledOf(experts: readonly string[], line: DecisionLine) {
  const home = placeOf(experts, foundHome(line));
  return home === null ? null : { home, before: placeOf(experts, line.lived_at) };
}

/** Null where it is unknown, or no expert of the config any more. */
function placeOf(experts: readonly string[], id: string | null | undefined): number | null {
  const place = id ? experts.indexOf(id) : -1;
  return place < 0 ? null : place;
}

function meanTokens(lines: readonly DecisionLine[]) {
  const known = lines.filter(
    ({ prompt_tokens: prompt, completion_tokens: output }) => prompt !== null && output !== null,
  );
  const mean = (value: (line: DecisionLine) => number, otherwise: number): number =>
    known.length === 0
      ? otherwise
      : Math.round(known.reduce((sum, line) => sum + value(line), 0) / known.length);
  return {
    list: {
      promptTokens: mean((line) => line.prompt_tokens!, 256),
      outputTokens: mean((line) => line.completion_tokens!, 256),
    },
    unknown: lines.length - known.length,
  };
}

/** As it was, but for the rounding of its vector; of a conversation the last turn with its context, as one prompt. */
function classifiedAgain(model: RouterModel, { vector: packed, outside }: DecisionLine): Classified {
  const vector = unpackVector(packed, model.dimensions);
  // How familiar its words were is not in the vector, but in what was made of it.
  const { cluster, distances } = classifyEmbedded(model, { vector, familiarity: 1 });
  return { cluster, distances, outside, vector };
}

function really(
  lines: readonly DecisionLine[],
  territory: Territory,
  classified: readonly Classified[],
): Recorded {
  const [ttft, tpot, e2e] = [new Sketch(), new Sketch(), new Sketch()];
  const experts: Record<string, number> = {};
  const loads = territory.experts.map(() => idleLoad);
  let [errors, tokens, atHome, answered] = [0, 0, 0, 0];
  lines.forEach((line, index) => {
    const { expert, error, stream, first_ms: first, total_ms: total, completion_tokens: output } = line;
    if (error !== null || expert === null) {
      errors += 1;
      return;
    }
    answered += 1;
    experts[expert] = (experts[expert] ?? 0) + 1;
    tokens += output ?? 0;
    const home = foundHome(line) ?? homeOf(territory, classified[index]!, loads);
    if (home === expert) atHome += 1;
    e2e.add(total);
    // An answer that came whole has no first token of its own.
    if (first === null || stream === false) return;
    ttft.add(first);
    if (output !== null && output > 1) tpot.add((total - first) / (output - 1));
  });
  const seconds = Math.max(1, (lines.at(-1)!.at - lines[0]!.at) / 1000);
  return {
    requests: answered,
    errors,
    seconds,
    tokens_per_second: tokens / seconds,
    ttft_ms: ttft.percentiles(),
    tpot_ms: tpot.percentiles(),
    e2e_ms: e2e.percentiles(),
    at_home: answered === 0 ? 0 : atHome / answered,
    experts,
  };
}
