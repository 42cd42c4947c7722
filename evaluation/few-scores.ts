/**
 * What descriptions and samples add to a few labelled prompts: `npm run eval:few-scores`, with `-- --corpora <folder>`
 * also on public prompts. So many labelled prompts are learned from, the rest judges; means over draws. Writes the table in
 * docs/learning.md.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { writeFileAtomically } from '../src/core/files.ts';
import { seededRandom } from '../src/core/random.ts';
import { outcomesOf } from '../src/learning/outcomes/read.ts';
import { learnModel, type ModelWithQuality } from '../src/learning/quality/learn-model.ts';
import { openPool, type Pool } from '../src/learning/training/pool.ts';
import { createRouter, type DescribedExpert, loadRouterModel, type RouterModel } from '../src/router.ts';
import { prompts, readYaml } from './decisions/expert-choice.ts';
import { labelledPrompts } from './labelled.ts';
import { runScript } from './script.ts';

const PAGE = 'docs/learning.md';
const MARKS = ['<!-- eval:few-scores -->', '<!-- end of eval:few-scores -->'] as const;
const DRAWS = 5;
const MOST_JUDGED = 1_500;

interface Labelled {
  readonly prompt: string;
  readonly label: string;
}

interface Setting {
  readonly name: string;
  readonly experts: readonly DescribedExpert[];
  readonly rows: readonly Labelled[];
  readonly counts: readonly number[];
}

/** Sets of experts of evaluation/decisions. */
const SETS = [
  'three experts, as in the README',
  'four experts',
  'eight experts, descriptions and a few samples',
];

/** Labels of the public prompts that belong to an expert; all others are the fallback's. */
const PUBLIC: Readonly<Record<string, readonly [description: string, ...labels: string[]]>> = {
  code: ['Programming and software', 'en code', 'ja code', 'ja computing'],
  maths: ['Mathematics', 'en mathematics', 'ja mathematics'],
  bank: ['Banking, accounts and credit cards', 'en banking', 'en credit_cards'],
  travel: ['Travel: flights, hotels, holidays', 'en travel'],
  kitchen: ['Cooking, recipes, restaurants', 'en kitchen_and_dining'],
  cars: ['Cars, driving, traffic', 'en auto_and_commute'],
  medicine: ['Medicine and health', 'ja medicine'],
  law: ['Law', 'ja law'],
  history: ['History', 'ja history'],
  economics: ['Economics, business, accounting', 'ja economics'],
};

await runScript(async () => {
  const { values } = parseArgs({ options: { corpora: { type: 'string' } } });
  const model = await loadRouterModel();
  const pool = openPool(2);
  const lines = [
    '| experts | labelled prompts | labels alone | texts alone | **both** | both, texts exchanged | best single |',
    '|---|---:|---:|---:|---:|---:|---:|',
  ];
  for (const setting of [...written(), ...(values.corpora === undefined ? [] : [published(values.corpora)])])
    for (const count of setting.counts) {
      lines.push(await rowFor(model, setting, count, pool));
      console.log(lines.at(-1));
    }
  await pool.close();
  await writePart(lines.join('\n'));
});

function written(): readonly Setting[] {
  const clinic = parse(readFileSync('examples/clinic/clinic.yaml', 'utf8')) as { experts: DescribedExpert[] };
  const sets =
    readYaml<readonly (Setting & { experts: readonly { topics?: readonly string[] }[] })[]>('configs');
  return [
    {
      name: 'a clinic (examples/clinic)',
      experts: clinic.experts.filter(({ description }) => description),
      rows: ['notes', 'visits'].flatMap((file) => labelledIn(`examples/clinic/${file}.csv`)),
      counts: [40, 60],
    },
    ...sets
      .filter(({ name }) => SETS.includes(name))
      .map(({ name, experts }) => ({ name, experts, rows: judgedPrompts(experts), counts: [40, 80, 160] })),
  ];
}

function labelledIn(file: string): readonly Labelled[] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const comma = line.lastIndexOf(',');
    const text = line.slice(0, comma).replace(/^"|"$/g, '').replaceAll('""', '"');
    return { prompt: text, label: line.slice(comma + 1) };
  });
}

function judgedPrompts(
  experts: readonly (DescribedExpert & { readonly topics?: readonly string[] })[],
): readonly Labelled[] {
  const rest = experts.find(({ fallback }) => fallback)!.id;
  return prompts().map(({ text, topic }) => ({
    prompt: text,
    label: experts.find(({ topics = [] }) => topics.includes(topic))?.id ?? rest,
  }));
}

function published(folder: string): Setting {
  const owner = new Map(
    Object.entries(PUBLIC).flatMap(([id, [, ...labels]]) => labels.map((one) => [one, id])),
  );
  return {
    name: 'eleven experts, public prompts in two languages',
    experts: [
      ...Object.entries(PUBLIC).map(([id, [description]]) => ({ id, description })),
      { id: 'general', fallback: true },
    ],
    rows: labelledPrompts(folder).map(({ text, label }) => ({
      prompt: text,
      label: owner.get(label) ?? 'general',
    })),
    counts: [40, 160, 640, 2_560],
  };
}

async function rowFor(model: RouterModel, setting: Setting, count: number, pool: Pool): Promise<string> {
  const { experts, rows, name } = setting;
  const plain = experts.map(({ id, fallback }) => ({ id, fallback }));
  const exchanged = withTextsExchanged(experts);
  const right = { labels: 0, texts: 0, both: 0, exchanged: 0, single: 0 };
  let judged = 0;
  for (let draw = 1; draw <= DRAWS; draw += 1) {
    const [taught, rest] = drawn(rows, count, draw);
    const learned = (described: readonly DescribedExpert[]): Promise<ModelWithQuality> =>
      learnModel(
        model,
        outcomesOf(
          taught.map((one) => ({ ...one })),
          { leastScores: 1 },
        ),
        { seed: draw, described },
        pool,
      );
    const alone = await learned([]);
    const share = async (by: RouterModel, who: readonly DescribedExpert[]): Promise<number> => {
      const router = await createRouter({ model: by, experts: who });
      return rest.filter(({ prompt, label }) => router.decide(prompt).expert === label).length;
    };
    right.labels += await share(alone, plain);
    right.texts += await share(model, experts);
    right.both += await share(await learned(experts), experts);
    right.exchanged += await share(await learned(exchanged), exchanged);
    const best = alone.quality.experts[alone.quality.best];
    right.single += rest.filter(({ label }) => label === best).length;
    judged += rest.length;
  }
  const [labels, texts, both, wrong, single] = Object.values(right).map(
    (one) => `${((100 * one) / judged).toFixed(1)} %`,
  );
  return `| ${name} | ${count} | ${labels} | ${texts} | **${both}** | ${wrong} | ${single} |`;
}

/** So many at random, and at most MOST_JUDGED of the others. */
function drawn(
  rows: readonly Labelled[],
  count: number,
  seed: number,
): readonly [taught: Labelled[], rest: Labelled[]] {
  const random = seededRandom(seed);
  const order = [...rows];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return [order.slice(0, count), order.slice(count, count + MOST_JUDGED)];
}

/** Every expert with texts has those of the next: as wrong as texts can be. */
function withTextsExchanged(experts: readonly DescribedExpert[]): readonly DescribedExpert[] {
  const described = experts.filter(({ fallback }) => !fallback);
  return experts.map((expert) => {
    const at = described.indexOf(expert);
    if (at < 0) return expert;
    const { description, samples } = described[(at + 1) % described.length]!;
    return { id: expert.id, description, samples };
  });
}

async function writePart(table: string): Promise<void> {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKS;
  const [before, rest] = page.split(begin);
  const [, after] = (rest ?? '').split(end);
  if (after === undefined) throw new Error(`${PAGE} lacks the marks ${begin} and ${end}.`);
  await writeFileAtomically(PAGE, `${before}${begin}\n\n${table}\n\n${end}${after}`);
}
