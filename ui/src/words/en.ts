import { englishStory as story } from '../../../src/serving/board/story-words.ts';
import { decide, map } from './en/decide.ts';
import { experts, retraining, topics } from './en/experts.ts';
import { frame } from './en/frame.ts';
import { now } from './en/now.ts';
import { conversations, requests, trace } from './en/requests.ts';
import { reports, whatIf } from './en/what-if.ts';

/** Every text of the page in English; the others have the same shape. */
export const en = {
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
