import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../core/bounds.ts';
import type { Decision } from '../../deciding/routing/decide.ts';
import { plainText } from '../../deciding/text/routable.ts';
import { type Caller, Conversations, type Move } from './conversations.ts';

const ANYBODY: Caller = { tenant: '', session: null };
const TURNS = [plainText('first'), plainText('second')];

const ask = (said: string, turns = TURNS, toolLoop: 'none' | 'possible' | 'running' = 'none') => ({
  affinityKey: `system:helps\nuser:${said}\n`,
  turns,
  toolLoop,
});
const chosen = (home: string, reason: Decision['reason'] = 'nearest-cluster'): Decision => ({
  ...{ expert: home, home, reason, spilledFor: null, livedAt: null, ranking: [] },
});

describe('where a conversation lives', () => {
  it('is remembered where its turns would say another expert', () => {
    const memory = new Conversations();
    memory.answered(ask('a'), ANYBODY, 'spare', chosen('code', 'spilled'));
    memory.answered(ask('b'), ANYBODY, 'code', chosen('code'));
    expect(memory.livesAt(ask('a'), ANYBODY)).toBe('spare');
    expect(memory.livesAt(ask('b'), ANYBODY)).toBeNull();
    memory.answered(ask('a'), ANYBODY, 'code', chosen('code'));
    expect(memory.livesAt(ask('a'), ANYBODY)).toBe('code');
  });

  it('does not hold a new conversation that begins with the same words', () => {
    const memory = new Conversations();
    memory.answered(ask('hi', [TURNS[0]!]), ANYBODY, 'spare', chosen('code', 'spilled'));
    expect(memory.livesAt(ask('hi', [TURNS[0]!]), ANYBODY)).toBeNull();
  });

  it('is known by the name that the client gives it, without its earlier turns', () => {
    const memory = new Conversations();
    const named = { tenant: 'ann', session: 'ann\nchat-1' };
    memory.answered(ask('How do I cook rice?', [TURNS[0]!]), named, 'cook', chosen('cook'));
    expect(memory.livesAt(ask('yes', [TURNS[0]!]), named)).toBe('cook');
    expect(memory.livesAt(ask('yes', [TURNS[0]!]), { tenant: 'ann', session: 'ann\nchat-2' })).toBeNull();
    expect(memory.livesAt(ask('yes', [TURNS[0]!]), { tenant: 'eve', session: 'eve\nchat-1' })).toBeNull();
  });

  it('is another for each agent of a session', () => {
    const memory = new Conversations();
    const session = { tenant: '', session: '\ns' };
    memory.answered(ask('one', TURNS, 'possible'), session, 'a', chosen('a'));
    memory.answered(ask('two', TURNS, 'possible'), session, 'b', chosen('b'));
    expect(memory.livesAt(ask('one', TURNS, 'running'), session)).toBe('a');
    expect(memory.boundTo(ask('one', TURNS, 'running'), session)).toBe('a');
    const title = { ...ask('three'), affinityKey: 'system:makes titles\nuser:three\n' };
    expect(memory.livesAt(title, session)).toBeNull();
  });

  it('says nothing of requests without a conversation, nor of what a client demands', () => {
    const memory = new Conversations();
    const session = { tenant: '', session: '\ns' };
    memory.answered(ask('a'), session, 'a', chosen('a', 'forced'));
    memory.answered({ ...ask('a'), affinityKey: null }, session, 'a', chosen('a'));
    expect(memory.livesAt(ask('a'), session)).toBeNull();
    expect(memory.livesAt({ ...ask('a'), affinityKey: null }, session)).toBeNull();
  });

  it('is told to other processes once, and taken from them', () => {
    const [one, other] = [new Conversations(), new Conversations()];
    const told: Move[] = [];
    one.onMove = (move) => void told.push(move);
    for (let turn = 0; turn < 3; turn += 1)
      one.answered(ask('a'), ANYBODY, 'spare', chosen('code', 'spilled'));
    expect(told).toHaveLength(1);
    other.onMove = () => expect.unreachable('an echo would go round for ever');
    other.heard(told);
    expect(other.livesAt(ask('a'), ANYBODY)).toBe('spare');
  });

  it('is forgotten for those that were silent longest', () => {
    const memory = new Conversations();
    for (let n = 0; n <= LIMITS.conversations; n += 1)
      memory.answered(ask(`${n}`), ANYBODY, 'spare', chosen('code', 'spilled'));
    expect(memory.livesAt(ask('0'), ANYBODY)).toBeNull();
    expect(memory.livesAt(ask('1'), ANYBODY)).toBe('spare');
  });
});
