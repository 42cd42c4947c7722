/** To write a kind of expert of your own, for the `kinds` of `createGateway`. */
export { z } from 'zod';
export { RouterError, UserError } from './core/errors.ts';
export type {
  AnswerFormat,
  Ask,
  Capability,
  Demand,
  Message,
  Parameters,
  Part,
  Prompt,
  Tool,
  Tools,
} from './serving/dialects/ask.ts';
export { defineExpert } from './serving/experts/define.ts';
export { refuseUnmet } from './serving/experts/demands.ts';
export type {
  AnswerSink,
  EngineDescription,
  Expert,
  ExpertRequest,
  Generation,
  Health,
  Outcome,
  ReportedLoad,
} from './serving/experts/expert.ts';
export type { ExpertDeps, ExpertKind, OpenProgress, ProgressLine } from './serving/experts/kind.ts';
export { RunningGenerations, type Work } from './serving/experts/running.ts';
export { lastText, type TextMessage, textMessages } from './serving/experts/text-prompt.ts';
export { type Failure, ToldFailure } from './serving/reply/failure.ts';
export type { FinishReason, Reply, ReplyMeta, Usage } from './serving/reply/reply.ts';
