/** Types of options that several schemas share. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';

/** Text such as `500ms`, `30s` or `5m`; milliseconds once parsed. */
export const duration = z
  .string()
  .regex(DURATION_PATTERN, 'a duration such as 500ms, 30s or 5m')
  .transform((text) => parseDuration(text)!)
  .meta({ title: 'duration' });
