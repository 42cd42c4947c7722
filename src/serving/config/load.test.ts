import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';

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
  it('takes three experts in at most 15 lines', () => {
    expect(THREE_EXPERTS.trim().split('\n').length).toBeLessThanOrEqual(15);
    const config = parseConfig(THREE_EXPERTS, 'c.yaml', { MATHS_KEY: 'secret' });
    expect(config.experts.map((expert) => expert.id)).toEqual(['code', 'maths', 'general']);
    expect(config.experts[1]).toMatchObject({ api_key: 'secret', connect_timeout: 5000 });
    expect(config).toMatchObject({ listen: '127.0.0.1:8080', max_body_mb: 32 });
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
      'c.yaml:2:5: experts[0].url: missing (string)',
    );
    expect(problemsOf('experts: [')).toMatch(/^c\.yaml:1:\d+: not YAML/);
    expect(problemsOf('')).toMatch(/^c\.yaml/);
  });
});
