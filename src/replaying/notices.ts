/** What a reader of a replay should know about it, as values that a language puts into words. */

export type Notice =
  /** Lines of the records. */
  | { readonly kind: 'broken'; readonly count: number }
  | { readonly kind: 'foreign'; readonly count: number }
  /** Requests. */
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'lengths'; readonly count: number; readonly prompt: number; readonly output: number }
  | { readonly kind: 'insisted'; readonly count: number }
  | { readonly kind: 'away'; readonly count: number }
  | { readonly kind: 'retried'; readonly count: number }
  | { readonly kind: 'failed'; readonly count: number }
  /** Experts whose engines are timed by the records, and those that are modelled. */
  | { readonly kind: 'timed'; readonly experts: readonly string[] }
  | { readonly kind: 'modelled'; readonly experts: readonly string[] };

export type NoticeWords = {
  readonly [Kind in Notice['kind']]: (notice: Extract<Notice, { kind: Kind }>) => string;
};

const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export const englishNotices: NoticeWords = {
  broken: ({ count }) => `${some(count, 'line')} cannot be read`,
  foreign: ({ count }) => `${some(count, 'decision')} by another router model left out`,
  latest: ({ count }) => `only the latest ${some(count, 'request')} replayed`,
  lengths: ({ count, prompt, output }) =>
    `${some(count, 'request')} came back without token counts; ${prompt} and ${output} stand for them, the means of the others`,
  insisted: ({ count }) => `${some(count, 'request')} named an expert; here one is chosen as for the others`,
  away: ({ count }) =>
    `${some(count, 'request')} went elsewhere because the best expert took none (down or drained); whoever was out then is out here too`,
  retried: ({ count }) =>
    `${some(count, 'request')} took another try after a failure, and time for it; here nothing fails`,
  failed: ({ count }) => `${some(count, 'request')} failed; here every one is answered`,
  timed: ({ experts }) =>
    `the engines of ${experts.join(', ')} are timed by these same records, so the error beside them is smaller than that of a forecast; another model or GPU changes their times as much as the models of engines say`,
  modelled: ({ experts }) =>
    `the engines of ${experts.join(', ')} had too few streamed answers with token counts to be timed by; they are modelled from model and GPU`,
};

export function noticeText(notice: Notice, words: NoticeWords = englishNotices): string {
  return (words[notice.kind] as (notice: Notice) => string)(notice);
}
