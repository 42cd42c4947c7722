/** The triton kind against a real Triton server: NVIDIA's own binary with models of ours in its Python backend. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from './component.ts';

describeWith(['triton'], 'a real Triton server', (folder) => {
  it('is installed', () => {
    expect(existsSync(join(folder!, 'bin', 'python'))).toBe(true);
  });
});
