/**
 * Seeded random numbers, so that training, simulation and tests repeat exactly.
 * Only the top layers may seed from the clock or the system.
 */

export interface Random {
  /** Uniform in [0, 1), with 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
  /** Standard normal, by the Marsaglia polar method. */
  normal(): number;
  /** An independent generator whose stream is a function of this one's seed and the label, a number or a name. */
  fork(label: number | string): Random;
}

/** splitmix32: one 32-bit state word; passes the tests that matter for sampling (Steele et al., OOPSLA 2014). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  let spare: number | null = null;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  const normal = (): number => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const u = 2 * next() - 1;
      const v = 2 * next() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    }
  };
  return {
    next,
    normal,
    below: (bound) => Math.floor(next() * bound),
    fork: (label) => {
      const number = typeof label === 'number' ? label : hashOf(label);
      return seededRandom(
        (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0,
      );
    },
  };
}

/** FNV-1a, 32 bits. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash;
}
