/** A failure of the connection to an expert, as an error for clients. */
import { describeError, RouterError } from '../../core/errors.ts';
import type { WireError } from '../../http/client.ts';

export function asRouterError(expert: string, error: WireError): RouterError {
  const why = describeError(error);
  switch (error.failure) {
    case 'timeout':
      return new RouterError('expert_timeout', `Expert '${expert}' stopped answering (${why}).`, {
        cause: error,
      });
    case 'cut':
      return new RouterError('expert_cut_stream', `Expert '${expert}' broke off its answer (${why}).`, {
        cause: error,
      });
    case 'garbled':
      return new RouterError(
        'expert_failed',
        `Expert '${expert}' sent something that is not an HTTP answer (${why}).`,
        { cause: error },
      );
    case 'unreachable':
      return new RouterError('expert_unreachable', `Expert '${expert}' cannot be reached (${why}).`, {
        cause: error,
      });
  }
}
