import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePolicy } from '../../deciding/routing/policy.ts';
import { SHIPPED } from './catalogue.ts';
import { configFrom, digestOf, parseConfig } from './load.ts';

const THREE_EXPERTS = `
experts:
  - id: code
    kind: openai
    url: http://gpu1:8000
    description: Writes and explains programs
  - id: maths
    kind: openai
    url: http://gpu2:8000/v1
    api_key: \${MATHS_KEY}
  - id: general
    kind: openai
    url: http://gpu3:8000
    fallback: true
`;

const problemsOf = (text: string): string => {
  try {
    parseConfig(text, 'c.yaml', { MATHS_KEY: 'secret' });
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

describe('parseConfig', () => {
  it('takes ${NAME} from the environment, and $${NAME} for the text itself', () => {
    const written = (sample: string) => `experts:\n  - { id: one, kind: emulated, samples: ["${sample}"] }\n`;
    const sampleOf = (text: string) =>
      parseConfig(written(text), 'c.yaml', { NAME: 'x' }).experts[0]!.samples![0];
    expect(sampleOf('cd ${NAME}/bin')).toBe('cd x/bin');
    expect(sampleOf('cd $${NAME}/bin')).toBe('cd ${NAME}/bin');
    expect(sampleOf('${NONE:-y}')).toBe('y');
    expect(() => sampleOf('${NONE}')).toThrow(
      'c.yaml:2:42: ${NONE} is not set in the environment; for the text itself write $${NONE}',
    );
  });

  it('takes three experts in at most 15 lines', () => {
    expect(THREE_EXPERTS.trim().split('\n').length).toBeLessThanOrEqual(15);
    const config = parseConfig(THREE_EXPERTS, 'c.yaml', { MATHS_KEY: 'secret' });
    expect(config.experts.map((expert) => expert.id)).toEqual(['code', 'maths', 'general']);
    expect(config.experts[1]).toMatchObject({ api_key: 'secret', connect_timeout: 5000 });
    expect(config).toMatchObject({ listen: '127.0.0.1:8080', max_body_mb: 32 });
  });

  it.each(['.nan', '.inf', '-1', '"free"'])('takes no price of %s', (dollars) => {
    const written = `experts:\n  - { id: one, kind: emulated, price: { input: ${dollars}, output: 1 } }\n`;
    expect(problemsOf(written)).toMatch(/^c\.yaml:2:.*price\.input/);
  });

  it('names a missing variable with its place', () => {
    expect(() => parseConfig(THREE_EXPERTS, 'c.yaml', {})).toThrow('c.yaml:10:14: ${MATHS_KEY} is not set');
  });

  it('takes a preset for a variable', () => {
    const config = parseConfig(THREE_EXPERTS.replace('MATHS_KEY', 'MATHS_KEY:-none'), 'c.yaml', {});
    expect(config.experts[1]).toMatchObject({ api_key: 'none' });
  });

  it('refuses an unknown key with its place and the nearest name', () => {
    expect(problemsOf(THREE_EXPERTS.replace('api_key:', 'apikey:'))).toBe(
      "c.yaml:10:5: experts[1].apikey: unknown key; did you mean 'api_key'?",
    );
    expect(problemsOf(`lisen: x\n${THREE_EXPERTS}`)).toContain(
      "c.yaml:1:1: lisen: unknown key; did you mean 'listen'?",
    );
  });

  it('refuses an unknown kind, naming the known ones', () => {
    expect(problemsOf(THREE_EXPERTS.replace('kind: openai', 'kind: opnai'))).toMatch(
      /c\.yaml:4:5: experts\[0\]\.kind: unknown kind 'opnai'; one of .*openai.*; did you mean 'openai'\?/,
    );
  });

  it('takes a policy by its name, with options beside it, or with its options', () => {
    const policyOf = (head: string) =>
      parseConfig(`${head}\n${THREE_EXPERTS}`, 'c.yaml', { MATHS_KEY: 'secret' }).policy;
    expect(policyOf('')).toEqual({ name: 'spill' });
    expect(policyOf('policy: random')).toEqual({ name: 'random' });
    expect(policyOf('seconds_per_affinity: 5')).toEqual({ name: 'spill', seconds_per_affinity: 5 });
    expect(policyOf('policy: spill\nseconds_per_affinity: 5')).toEqual({
      name: 'spill',
      seconds_per_affinity: 5,
    });
    // What another policy would do with it does not matter while that one is not chosen.
    expect(policyOf('policy: nearest\nseconds_per_affinity: 5')).toEqual({ name: 'nearest' });
    expect(policyOf('policy: { name: spill, seconds_per_affinity: 5 }')).toEqual({
      name: 'spill',
      seconds_per_affinity: 5,
    });
    expect(policyOf('policy: { name: spill }')).toEqual({ name: 'spill', seconds_per_affinity: 1 });
  });

  it.each([
    ['policy: spil', /^c\.yaml:1:1: policy: one of spill, .*random; did you mean 'spill'\?$/],
    [
      'policy: { name: spil }',
      /^c\.yaml:1:11: policy\.name: unknown name 'spil'; one of .*; did you mean 'spill'\?$/,
    ],
    ['policy: {}', /^c\.yaml:1:1: policy\.name: unknown name; one of spill, /],
    ['policy: 3', /^c\.yaml:1:1: policy: one of spill, /],
    [
      'policy: { name: spill, seconds_per_afinity: 5 }',
      "c.yaml:1:24: policy.seconds_per_afinity: unknown key; did you mean 'seconds_per_affinity'?",
    ],
    ['policy: { name: nearest, patience: 5 }', 'c.yaml:1:26: policy.patience: unknown key; known here: name'],
    [
      'policy: { name: spill, seconds_per_affinity: soon }',
      /^c\.yaml:1:24: policy\.seconds_per_affinity: .*expected number/,
    ],
    ['policy: { name: spill, seconds_per_affinity: 0 }', /^c\.yaml:1:24: policy\.seconds_per_affinity: .*>0/],
    ['seconds_per_affinity: 0', /^c\.yaml:1:1: seconds_per_affinity: .*>0/],
    [
      'policy: { name: spill }\nseconds_per_affinity: 5',
      "c.yaml:2:1: seconds_per_affinity: belongs inside 'policy', beside its name 'spill'",
    ],
  ])('refuses %j with its place and what to write', (head, message) => {
    const problems = problemsOf(`${head}\n${THREE_EXPERTS}`);
    if (typeof message === 'string') expect(problems).toBe(message);
    else expect(problems).toMatch(message);
  });

  it('takes policies that a program brings, with their options', () => {
    const thrifty = definePolicy({
      id: 'thrifty',
      summary: 'the cheapest expert',
      options: z.strictObject({
        prices: z.record(z.string(), z.number()).default({}).describe('price by expert'),
        // A field of every config already, so that it can only stand inside `policy`.
        hedge: z.number().default(2).describe('how much dearer than the cheapest'),
      }),
      rank: ({ candidates }, { prices }) =>
        candidates.toSorted((a, b) => (prices[a.id] ?? 0) - (prices[b.id] ?? 0)),
    });
    const parse = (head: string) =>
      parseConfig(
        `${head}\n${THREE_EXPERTS}`,
        'c.yaml',
        { MATHS_KEY: 'secret' },
        {
          ...SHIPPED,
          policies: [...SHIPPED.policies, thrifty],
        },
      );
    const prices = { code: 3, maths: 1 };
    const options = 'prices: { code: 3, maths: 1 }';
    expect(parse(`policy: { name: thrifty, hedge: 4, ${options} }`)).toMatchObject({
      policy: { name: 'thrifty', hedge: 4, prices },
      hedge: false,
    });
    expect(parse(`policy: thrifty\n${options}`).policy).toEqual({ name: 'thrifty', prices });
    expect(() => parse('policy: { name: thrifty, price: 2 }')).toThrow("did you mean 'prices'?");
    expect(problemsOf(`policy: thrifty\n${THREE_EXPERTS}`)).toContain('one of spill, ');
  });

  it('says all problems at once', () => {
    const text = THREE_EXPERTS.replace('http://gpu1:8000', 'gpu1').replace('id: general', 'id: code');
    expect(problemsOf(text).split('\n')).toEqual([
      'c.yaml:5:5: experts[0].url: an http:// or https:// address',
      "c.yaml:11:5: experts[2].id: a second expert called 'code'",
    ]);
  });

  it('refuses two fallbacks, a missing field and a file that is not YAML', () => {
    expect(
      problemsOf(THREE_EXPERTS.replace('description: Writes and explains programs', 'fallback: true')),
    ).toContain('only one expert can be the fallback');
    expect(problemsOf('experts:\n  - id: a\n    kind: openai\n')).toBe(
      'c.yaml:2:5: experts[0].url: the address of its server is missing; or say how to `discover` it',
    );
    expect(problemsOf('experts: [')).toMatch(/^c\.yaml:1:\d+: not YAML/);
    expect(problemsOf('')).toMatch(/^c\.yaml/);
  });
});

describe('digestOf', () => {
  const digest = (text: string, file: string): string =>
    digestOf(configFrom(`${text}${THREE_EXPERTS}`, file, { MATHS_KEY: 'secret' }), SHIPPED);

  it('does not depend on where a config and its files lie', () => {
    const text = 'router: support.model\nrecords: { dir: ./records }\n';
    expect(digest(text, '/etc/one/experts.yaml')).toBe(digest(text, '/srv/two/experts.yaml'));
    expect(digest(text, '/etc/one/experts.yaml')).toBe(
      digest(text.replace('./records', '/var/lib/records'), '/etc/one/experts.yaml'),
    );
    expect(digest(text, '/a/c.yaml')).not.toBe(digest('router: other.model\n', '/a/c.yaml'));
    expect(digest('heartbeat: 9s\n', '/a/c.yaml')).not.toBe(digest('', '/a/c.yaml'));
  });
});
