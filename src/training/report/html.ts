/** A training report as one HTML page without any outside part. Knows nothing of training: data in, text out. */
import type { TrainingReport } from './data.ts';

export function reportHtml(report: TrainingReport): string {
  return JSON.stringify(report);
}
