import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../core/bounds.ts';
import { joined, MOST_JOINED } from '../../core/pieces.ts';
import { Members, type Splice } from './members.ts';

function written(members: Members, splices: readonly Splice[]): Buffer {
  return joined(members.with(splices));
}

function replaced(text: string, name = 'served'): string {
  const members = new Members(Buffer.from(text));
  return written(members, members.set('model', name)).toString();
}

describe('set', () => {
  it('changes the value and not one other byte', () => {
    expect(replaced('{ "seed":12345678901234567890 ,"model" : "auto","x":1.0}')).toBe(
      '{ "seed":12345678901234567890 ,"model" : "served","x":1.0}',
    );
  });

  it('adds the member where there is none', () => {
    expect(replaced('{"messages":[]}')).toBe('{"model":"served","messages":[]}');
    expect(replaced(' { } ')).toBe(' {"model":"served" } ');
  });

  it('leaves nested members of the same name alone', () => {
    expect(replaced('{"a":{"model":"in"},"l":[{"model":1}],"model":null}')).toBe(
      '{"a":{"model":"in"},"l":[{"model":1}],"model":"served"}',
    );
  });

  it('replaces every duplicate, so that no parser downstream sees the other name', () => {
    expect(replaced('{"model":"a","model":"b"}')).toBe('{"model":"served","model":"served"}');
  });

  it('knows a key written with escapes', () => {
    expect(replaced('{"mod\\u0065l":"a"}')).toBe('{"mod\\u0065l":"served"}');
  });

  it('holds for any JSON object: the parse differs in model alone, and other bytes stay', () => {
    const bodies = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => ({ ...value }));
    fc.assert(
      fc.property(bodies, fc.constantFrom(0, 2), fc.string(), (body, indent, name) => {
        const { model: _model, ...rest } = JSON.parse(replaced(JSON.stringify(body, null, indent), name));
        const { model: _before, ...restBefore } = JSON.parse(JSON.stringify(body));
        expect(rest).toEqual(restBefore);
        expect(_model).toBe(JSON.parse(JSON.stringify(name)));
      }),
    );
  });
});

describe('rename', () => {
  function renamed(text: string): string {
    const members = new Members(Buffer.from(text));
    return written(members, members.rename('max_tokens', 'limit')).toString();
  }

  it('changes the key and not one other byte', () => {
    expect(renamed('{"a":{"max_tokens":1}, "max_tokens" :9007199254740993,"b":"max_tokens"}')).toBe(
      '{"a":{"max_tokens":1}, "limit" :9007199254740993,"b":"max_tokens"}',
    );
  });

  it('leaves a body without the member alone', () => {
    expect(renamed('{ "x": [ ] }')).toBe('{ "x": [ ] }');
  });
});

describe('with', () => {
  it('makes several edits at once, added members in the order they were asked for', () => {
    const members = new Members(Buffer.from('{"x":1,"max_tokens": 5 ,"y":2}'));
    const edits = [
      ...members.set('z', 3),
      ...members.set('model', 'm'),
      ...members.rename('max_tokens', 'limit'),
    ];
    expect(written(members, edits).toString()).toBe('{"z":3,"model":"m","x":1,"limit": 5 ,"y":2}');
  });

  it('does not copy a large body', () => {
    const body = Buffer.from(`{"model":"auto","x":"${'x'.repeat(MOST_JOINED)}"}`);
    const pieces = new Members(body).with(new Members(body).set('model', 'm')) as readonly Buffer[];
    expect(pieces.map(({ buffer }) => buffer === body.buffer)).toEqual([true, false, true]);
    expect(joined(pieces).equals(Buffer.from(body.toString().replace('auto', 'm')))).toBe(true);
  });

  it('edits a body with as many duplicates as are let in', () => {
    const body = (model: number): string =>
      `{${Array.from({ length: LIMITS.topMembers }, () => `"model":${model}`).join()}}`;
    const members = new Members(Buffer.from(body(0)));
    expect(written(members, members.set('model', 1)).toString()).toBe(body(1));
  });
});
