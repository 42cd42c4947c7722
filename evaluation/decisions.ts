/**
 * Judges decisions and writes docs/decisions.md: `npm run eval:decisions`. With `--half tune` it prints the half for
 * tuning, with `--half everyday` the prompts for development, `--misses` each miss; none of them writes. `--corpora <folder>` adds the topics of labelled corpora.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { UserError } from '../src/core/errors.ts';
import { writeFileAtomically } from '../src/core/files.ts';
import { createRouter, loadRouterModel } from '../src/router.ts';
import { deskSection, judgeDesks } from './decisions/desks.ts';
import { type Half, judgeSets, prompts, type SetResult } from './decisions/expert-choice.ts';
import { judgeMoving, movingSection } from './decisions/moving.ts';
import { EIGHT_EXPERTS, judgeStaying } from './decisions/staying.ts';
import { judgeTopics } from './decisions/topics.ts';
import { judgeUnknown, judgeWrappings } from './decisions/wrapping.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    half: { type: 'string', default: 'judge' },
    misses: { type: 'boolean', default: false },
    corpora: { type: 'string' },
    clusters: { type: 'string', default: '32,64' },
  },
});

/** Decisions timed of each length. */
const ROUNDS = 2_000;

const model = await loadRouterModel(values.model);
if (values.half !== 'judge' || values.misses) await print();
else await write();

function halfOf(text: string): Half {
  if (text === 'tune' || text === 'judge' || text === 'everyday') return text;
  throw new UserError(`--half ${text}: expected tune, judge or everyday.`);
}

async function print(): Promise<void> {
  const misses = (list: readonly string[]): void => {
    if (values.misses) for (const one of list) console.log(`    ${one}`);
  };
  for (const set of await judgeSets(model, halfOf(values.half))) {
    console.log(
      `${set.right} of ${set.asked} (fallback ${set.byFallback}, ja ${set.japanese.right} of ${set.japanese.asked}): ${set.name}`,
    );
    misses(set.misses);
  }
  for (const desk of await judgeDesks(model)) {
    console.log(
      `${desk.right} of ${desk.asked} (with samples ${desk.rightWithSamples ?? '-'}): ${desk.name}`,
    );
    misses(desk.misses);
  }
  for (const { name, kept, asked, moved } of await judgeWrappings(model)) {
    console.log(`${kept} of ${asked}: ${name}`);
    misses(moved);
  }
  for (const { first, later } of await judgeUnknown(model, others())) {
    console.log(`${first.kept}, later ${later.kept} of ${later.asked}: ${later.name}`);
    misses(later.moved);
  }
  const staying = await judgeStaying(model);
  console.log(
    `${staying.left} of ${staying.replies} replies left; ${staying.followed} of ${staying.switches} switches followed`,
  );
  for (const { tokens, followed } of staying.after) console.log(`${followed} after ${tokens} tokens`);
  console.log(movingSection(await judgeMoving(model)).join('\n'));
  misses([...staying.examples.left, ...staying.examples.missed]);
}

/** What people ask the programs of the wrappings before they ask the judged questions. */
function others(): readonly string[] {
  return prompts()
    .filter(({ half }) => half === 'tune')
    .map(({ text }) => text);
}

async function write(): Promise<void> {
  const sets = await judgeSets(model, 'judge');
  const desks = await judgeDesks(model);
  const wrappings = await judgeWrappings(model);
  const later = await judgeWrappings(model, 'later');
  const unknown = await judgeUnknown(model, others());
  const staying = await judgeStaying(model);
  const topics =
    values.corpora === undefined ? null : await judgeTopics(model, values.corpora, values.clusters);
  const judged = prompts().filter(({ half }) => half === 'judge');
  const page = [
    '# Decisions, judged\n',
    '<!-- written by `npm run eval:decisions`; do not edit -->\n',
    `Router model ${model.id} (${model.embedding.id}, ${model.clusters} clusters). Every figure on this page is of that run.\n`,
    '## Who answers\n',
    `${judged.length} everyday prompts of 2 to 60 words, ${judged.filter(({ japanese }) => japanese).length} of them Japanese, from \`evaluation/decisions/prompts.yaml\`:`,
    'the half kept for judging; the rule and its constants were chosen on the other half. The same person wrote the',
    'prompts, the sets of experts and the topics that descriptions are understood by, which flatters; whoever enlarged the',
    "topics had seen the judge's prompts about code, and misses of the eight. `±` is the share's standard error.\n",
    '| experts (`evaluation/decisions/configs.yaml`) | right | all to the fallback | Japanese |',
    '|---|---|---|---|',
    ...sets.map(setRow),
    '',
    ...deskSection(desks),
    '## What programs put around a question\n',
    `${wrappings[0]!.asked} questions on six subjects, each inside of what programs add (\`evaluation/decisions/wrappings.yaml\`): how many keep`,
    'the expert that they have by themselves. The rules for framing words were written with these misses in view, so expect',
    'less on other wrappings.\n',
    '| wrapping | kept |',
    '|---|---|',
    ...wrappings.map(({ name, kept, asked }) => `| ${name} | ${kept} of ${asked} |`),
    '',
    'Of the same kinds in other words, written after the rules but for pairs, rubric and criteria:\n',
    '| wrapping | kept |',
    '|---|---|',
    ...later.map(({ name, kept, asked }) => `| ${name} | ${kept} of ${asked} |`),
    '',
    'Programs that no table knows, at first, and after a dozen requests of theirs about other things, from which the gateway',
    'learns what they put into every message:\n',
    '| wrapping | kept at first | later |',
    '|---|---|---|',
    ...unknown.map(
      ({ first, later }) =>
        `| ${later.name} | ${first.kept} of ${first.asked} | ${later.kept} of ${later.asked} |`,
    ),
    '',
    '## Conversations\n',
    'Openings on twelve topics in English, Japanese, German and French, each followed by replies such as "yes", "続けて",',
    '"kürzer bitte" or by a change of subject (`evaluation/decisions/conversations.yaml`), eight experts. A change of',
    'subject counts where the turn alone goes to an expert of its own subject. Thresholds and lead-ins ("Etwas anderes:") were chosen on these conversations.\n',
    `- replies that left the opening's expert: ${staying.left} of ${staying.replies} (${percent(staying.left, staying.replies)})`,
    `- changes of subject that were followed: ${staying.followed} of ${staying.switches} (${percent(staying.followed, staying.switches)})`,
    ...staying.after.map(
      ({ tokens, followed }) =>
        `- the same after ${tokens} tokens of conversation: ${followed} (${percent(followed, staying.switches)})`,
    ),
    '',
    ...movingSection(await judgeMoving(model)),
    ...(topics === null ? [] : topics),
    '## Time\n',
    await timing(),
    '',
  ];
  await writeFileAtomically('docs/decisions.md', page.join('\n'));
  console.log('docs/decisions.md');
}

function setRow({ name, asked, right, byFallback, japanese }: SetResult): string {
  const error = 100 * Math.sqrt(((right / asked) * (1 - right / asked)) / asked);
  const fallback = byFallback === 0 ? 'no fallback' : percent(byFallback, asked);
  return `| ${name} | ${right} of ${asked}: ${percent(right, asked)} ± ${error.toFixed(1)} | ${fallback} | ${japanese.right} of ${japanese.asked} |`;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** The median of single decisions, eight experts: text, vector, cluster, claims and choice. */
async function timing(): Promise<string> {
  const router = await createRouter({ model, experts: EIGHT_EXPERTS });
  const text = prompts()
    .filter(({ half }) => half !== 'everyday')
    .map(({ text: one }) => one)
    .join(' ');
  const rows = [200, 2_000].map((length) => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = (round * 37) % (text.length - length);
      const prompt = text.slice(from, from + length);
      const started = process.hrtime.bigint();
      router.decide(prompt);
      times.push(Number(process.hrtime.bigint() - started) / 1e3);
    }
    times.sort((a, b) => a - b);
    return `| ${length} characters | ${times[ROUNDS / 2]!.toFixed(0)} µs | ${times[Math.floor(0.9 * ROUNDS)]!.toFixed(0)} µs |`;
  });
  return [
    `Eight experts, one thread. Load average of the machine during the run: ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores.\n`,
    '| a decision on | median | 90th percentile |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}
