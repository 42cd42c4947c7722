import { describe, expect, it } from 'vitest';
import { type ExpertBody, expertsTable } from './table.ts';

const reported = {
  state: 'fresh',
  running: 12,
  waiting: 3,
  kv_cache_use: 0.971,
  age_seconds: 0.4,
  others: 6.5,
  full: true,
  problem: null,
};
const replica = {
  name: 'http://gpu1:8000',
  kind: 'openai',
  drained: false,
  health: { state: 'ready' },
  breaker: 'closed',
  in_flight: 8,
  limit: 256,
  tokens_per_second: 1234.5,
  engine: { name: 'vLLM', version: '0.11.0' },
  reported,
};
const none = {
  ...reported,
  state: 'none',
  running: null,
  waiting: null,
  kv_cache_use: null,
  age_seconds: null,
};
const experts: readonly ExpertBody[] = [
  {
    id: 'code',
    available: true,
    queued: 2,
    context: 8192,
    replicas: [
      replica,
      {
        ...replica,
        name: 'http://gpu2:8000',
        health: { state: 'down', detail: 'ECONNREFUSED' },
        reported: { ...none, state: 'lost', problem: 'nobody listens there' },
      },
    ],
  },
  {
    id: 'maths',
    available: true,
    queued: 0,
    context: null,
    replicas: [{ ...replica, name: 'maths', kind: 'llama', engine: null, limit: null, reported: none }],
  },
];

describe('expertsTable', () => {
  it('has one aligned line per replica, followed by the problems', () => {
    const lines = expertsTable(experts).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(
      /^code +http:\/\/gpu1:8000 +vLLM 0\.11\.0 +ready +closed +8\/256 +2 +8192 +12 +3 +97 % full +6\.5 +fresh, 0 s +1235$/,
    );
    expect(lines[2]).toMatch(/^ +http:\/\/gpu2:8000 .*down .*lost/);
    expect(lines[3]).toMatch(/^maths +llama +ready +closed +8\/∞ +0 +- +- +- +- +- +none/);
    expect(lines[4]).toBe('code at http://gpu2:8000 is down: ECONNREFUSED');
    const drained = { ...experts[0]!, replicas: [{ ...replica, drained: true }] };
    expect(expertsTable([drained]).split('\n')[1]).toMatch(/ drained +closed /);
    const column = lines[0]!.indexOf('HEALTH');
    expect(lines.slice(1, 4).map((line) => line.slice(column, column + 5))).toEqual([
      'ready',
      'down ',
      'ready',
    ]);
  });
});
