/** Ways of serving that engines have and the simulator does not: whoever asks for one is told so, and what would do. */

const NOTHING_PUBLISHED = 'and none of the published measurements that the model is fitted to has it';

/** By the key of a scenario file; `plan` has the same as options. */
export const UNMODELLED: Readonly<Record<string, string>> = {
  pipeline_parallel: `pipeline parallelism is not modelled, ${NOTHING_PUBLISHED}: split every layer instead (tensor_parallel: 2, 4 or 8; --tp), as engines do within one machine`,
  speculative: `speculative decoding is not modelled, ${NOTHING_PUBLISHED}: leave it out for its times without drafts, or measure your engine with it (expert-router calibrate) and name the file under calibrated`,
  disaggregated: `disaggregated prefill is not modelled, ${NOTHING_PUBLISHED}: the nearest is chunked prefill, where a smaller max_tokens (--max-tokens) reads prompts in smaller parts between tokens`,
  lora: `LoRA adapters are not modelled, ${NOTHING_PUBLISHED}: leave them out for the base model's own times, or measure your engine with them (expert-router calibrate) and name the file under calibrated`,
  mig: `slices of a GPU (MIG) are not modelled, ${NOTHING_PUBLISHED}: name a GPU of that size (l4 and a10g have 24 GB, l40s has 48), or measure your slice (expert-router calibrate) and name the file under calibrated`,
};
