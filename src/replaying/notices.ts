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

export const englishNotices: NoticeWords = {
  broken: ({ count }) => `${count} lines cannot be read`,
  foreign: ({ count }) => `${count} decisions are by another router model, and left out`,
  latest: ({ count }) => `only the latest ${count} requests are replayed`,
  lengths: ({ count, prompt, output }) =>
    `${count} requests have no token counts, because their expert told none; they are taken for ${prompt} and ${output} tokens, the means of the others`,
  insisted: ({ count }) =>
    `${count} requests named their expert; here one is chosen for them as for the others`,
  away: ({ count }) =>
    `${count} requests went elsewhere because their expert took none (down or drained); whoever is out then is out here too`,
  retried: ({ count }) =>
    `${count} requests were tried again after a failure, which took time; here nothing fails`,
  failed: ({ count }) =>
    `${count} requests failed; here experts answer them, so that they load the fleet as the others do`,
  timed: ({ experts }) =>
    `the engines of ${experts.join(', ')} are timed by these same records, so the error beside them is smaller than that of a forecast; another model or GPU changes their times as much as the models of engines say`,
  modelled: ({ experts }) =>
    `the engines of ${experts.join(', ')} had too few streamed answers with token counts to be timed by; they are modelled from model and GPU`,
};

export function noticeText(notice: Notice, words: NoticeWords = englishNotices): string {
  return (words[notice.kind] as (notice: Notice) => string)(notice);
}
