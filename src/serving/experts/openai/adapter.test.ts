import { describe, expect, it } from 'vitest';
import { Adapter } from './adapter.ts';

const told = (...names: readonly string[]) => ({ names, slots: 2 });

describe('whether an adapter is in GPU memory', () => {
  it('is unknown until the engine tells, and again when it no longer does', () => {
    const sql = new Adapter(() => 'sql', 1_000);
    sql.used();
    expect(sql.resident).toBe(null);
    sql.heard(told('sql'));
    expect(sql.resident).toBe(true);
    sql.heard(undefined);
    expect(sql.resident).toBe(null);
  });

  it('holds after its last request, until as many others as there are slots were at work', () => {
    const sql = new Adapter(() => 'sql', 1_000);
    sql.heard(told());
    expect(sql.resident).toBe(false);
    sql.used();
    expect(sql.resident).toBe(true);
    sql.heard(told('code'));
    sql.heard(told());
    expect(sql.resident).toBe(true);
    sql.heard(told('law'));
    expect(sql.resident).toBe(false);
    sql.heard(told('sql', 'law', 'code'));
    expect(sql.resident).toBe(true);
  });
});
