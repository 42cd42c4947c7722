/** A whole answer without content. */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink } from './reply.ts';

type Show = (sink: Omit<AnswerSink, 'fail'>) => void;

/** Other experts are tried, and if none has content, `show` passes it on unchanged. */
export class EmptyAnswer extends RouterError {
  readonly show: Show;

  constructor(expert: string, show: Show) {
    super('expert_failed', `Expert '${expert}' gave an empty answer.`);
    this.show = show;
  }
}
