/** What the dashboard asks of whoever replays recorded decisions. */
import type { WhatIfExpert } from '../../replaying/asked.ts';
import type { WhatIfAnswer } from '../../replaying/what-if.ts';

/** What can be asked, and how things are. */
export interface WhatIfOptions {
  /** Whether decisions are recorded at all. */
  readonly records: boolean;
  /** The policy in force, with its options. */
  readonly policy: { readonly name: string; readonly [option: string]: unknown };
  /** The S of `spill` where nobody says another. */
  readonly secondsPerAffinity: number;
  readonly policies: readonly { readonly id: string; readonly summary: string }[];
  readonly models: readonly string[];
  readonly gpus: readonly string[];
  /** File names: of the router model in force, and of those beside it. */
  readonly router: string;
  readonly routers: readonly string[];
  /** What each expert is taken for until somebody says better. */
  readonly experts: Readonly<Record<string, WhatIfExpert>>;
}

export interface WhatIfDesk {
  options(): Promise<WhatIfOptions>;
  /** @throws RouterError for what cannot be asked or replayed */
  ask(body: unknown): Promise<WhatIfAnswer>;
}
