/** The contents of the folder, by path. A pure function; the caller writes the files. */
import { composeFile } from './compose-file.ts';
import { modelFile, serveOptionsFile } from './llm-arguments.ts';
import { checkpointInside, type EnginePlan } from './plan.ts';
import { readme } from './readme.ts';
import { enginesConfig } from './router-config.ts';
import { scripts } from './scripts.ts';
import { planSummary } from './summary.ts';

/** The file by which a folder written by this command is recognised. */
export const PLAN_FILE = 'plan.json';

export interface FolderFile {
  readonly content: string;
  readonly executable: boolean;
}

export function engineFolder(plan: EnginePlan): Readonly<Record<string, FolderFile>> {
  const texts: Record<string, string> = {
    'README.md': readme(plan),
    'compose.yaml': composeFile(plan),
    'router.yaml': enginesConfig(plan),
    [PLAN_FILE]: `${JSON.stringify(planSummary(plan), null, 2)}\n`,
  };
  for (const model of plan.models) {
    if (plan.serve === 'trtllm-serve')
      texts[`serve/${model.name}.yaml`] = serveOptionsFile(model.size, plan.format);
    if (plan.serve === 'triton')
      texts[`triton/${model.name}/tensorrt_llm/1/model.yaml`] = modelFile(
        model.size,
        plan.format,
        checkpointInside(model),
      );
  }
  return {
    ...mapValues(texts, (content) => ({ content, executable: false })),
    ...mapValues(scripts(plan), (content) => ({ content, executable: true })),
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
