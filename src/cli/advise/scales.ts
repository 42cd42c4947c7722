/** What an advice means for the values of the Helm chart. */
import type { Scale } from '../../deploying/helm-values.ts';
import type { Advice, AdvisedExpert } from '../../replaying/advice.ts';
import type { Config } from '../../serving/config/schema.ts';

/** Nothing is said of an expert that is asked and that nothing serves well enough. */
export function scalesOf({ experts }: Advice, config: Config): readonly Scale[] {
  return experts
    .filter(({ placement, requests }) => placement !== null || requests === 0)
    .map((one) => ({
      id: one.expert,
      target: serviceOf(config, one.expert),
      min: one.min,
      max: Math.max(1, one.max),
      note: noteOf(one),
    }));
}

function noteOf({ model, placement }: AdvisedExpert): string {
  if (placement === null) return `nobody asked for it (${model})`;
  return `${model} ${placementText(placement)}`;
}

export function placementText({
  gpu,
  precision,
  tensor_parallel: degree,
}: NonNullable<AdvisedExpert['placement']>): string {
  return `in ${precision} on ${degree === 1 ? '' : `${degree} x `}${gpu}`;
}

/** Its Service or InferencePool, which its Deployment is taken to share the name with. */
function serviceOf({ experts }: Config, id: string): string {
  const discover = experts.find((one) => one.id === id)?.discover as
    | { readonly kubernetes?: { readonly service?: string; readonly pool?: string } }
    | undefined;
  return discover?.kubernetes?.service ?? discover?.kubernetes?.pool ?? id;
}
