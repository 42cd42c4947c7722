/** Nelder and Mead's downhill simplex (1965) over positive parameters, searched in logarithms. Deterministic. */

export interface Minimum {
  readonly x: readonly number[];
  readonly value: number;
}

/** Minimises `f` from `start` (all positive), restarting once from the best point with a fresh simplex. */
export function minimise(
  f: (x: readonly number[]) => number,
  start: readonly number[],
  evaluations = 400,
): Minimum {
  const inLogs = (x: readonly number[]): number => f(x.map(Math.exp));
  let best: Minimum = { x: start.map(Math.log), value: Number.POSITIVE_INFINITY };
  for (const spread of [0.4, 0.15]) best = descend(inLogs, best.x, spread, evaluations / 2);
  return { x: best.x.map(Math.exp), value: best.value };
}

function descend(
  f: (x: readonly number[]) => number,
  start: readonly number[],
  spread: number,
  budget: number,
): Minimum {
  const at = (x: readonly number[]): Minimum => ({ x, value: f(x) });
  const simplex = [at(start), ...start.map((_, i) => at(start.map((v, j) => (i === j ? v + spread : v))))];
  for (let used = simplex.length; used < budget; ) {
    simplex.sort((a, b) => a.value - b.value);
    const worst = simplex.at(-1)!;
    const centre = start.map(
      (_, i) => simplex.slice(0, -1).reduce((sum, p) => sum + p.x[i]!, 0) / (simplex.length - 1),
    );
    const along = (t: number): Minimum => at(centre.map((c, i) => c + t * (worst.x[i]! - c)));
    const reflected = along(-1);
    used += 1;
    if (reflected.value < simplex[0]!.value) {
      const expanded = along(-2);
      used += 1;
      simplex[simplex.length - 1] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex.at(-2)!.value) {
      simplex[simplex.length - 1] = reflected;
    } else {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      used += 1;
      if (contracted.value < worst.value) simplex[simplex.length - 1] = contracted;
      else {
        const anchor = simplex[0]!.x;
        for (let i = 1; i < simplex.length; i++)
          simplex[i] = at(simplex[i]!.x.map((v, j) => (v + anchor[j]!) / 2));
        used += simplex.length - 1;
      }
    }
  }
  return simplex.sort((a, b) => a.value - b.value)[0]!;
}
