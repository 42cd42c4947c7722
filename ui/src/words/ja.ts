import type { Words } from './index.ts';
import { decide, map } from './ja/decide.ts';
import { experts, retraining, topics } from './ja/experts.ts';
import { frame } from './ja/frame.ts';
import { now } from './ja/now.ts';
import { conversations, requests, trace } from './ja/requests.ts';
import { story } from './ja/story.ts';
import { reports, whatIf } from './ja/what-if.ts';

/** Every text of the page in Japanese. */
export const ja: Words = {
  ...frame,
  gap: story.gap,
  errors: story.errors,
  refusals: story.refusals,
  conversations,
  decide,
  experts,
  map,
  now,
  reports,
  requests,
  retraining,
  topics,
  trace,
  whatIf,
};
