import { describe, expect, it } from 'vitest';
import { FrequencyTable } from './frequency-table.ts';

describe('the frequency table', () => {
  it('counts prompts, not occurrences', () => {
    const table = new FrequencyTable();
    for (const stamp of [1, 1, 2, 3, 3]) table.see(48, stamp);
    table.see(56, 3);
    expect([...table.entries(1).counts]).toEqual([3, 1]);
    expect([...table.entries(2).hashes]).toEqual([48]);
  });

  it('keeps the frequent when it is full', () => {
    const table = new FrequencyTable(16, 64);
    for (let index = 1; index <= 400; index += 1) {
      table.add(index * 8, 1);
      table.add(8_000_000, 1);
    }
    const { hashes, counts } = table.entries(100);
    expect([...hashes]).toEqual([8_000_000]);
    expect(counts[0]).toBeGreaterThan(390);
    expect(table.forgotten).toBeGreaterThan(0);
  });
});
