import type { Words } from '../index.ts';
import { story } from './story.ts';

export const requests: Words['requests'] = {
  lead: '最新のリクエストです。時刻を選ぶと経過を読めます。「担当以外が回答」は、最も適したエキスパートが混雑または停止していたものです。',
  empty: '記憶されているリクエストはありません。「判定」で試せます。',
  noMatch: '条件に合うリクエストはありません。',
  lookUp: 'このトレース ID を古いものの中から探す',
  all: 'すべて',
  expert: 'エキスパート',
  result: '結果',
  find: 'トレース ID',
  results: { ok: '回答済み', running: '処理中', failed: '失敗', left: '切断', moved: '担当以外が回答' },
  tries: (n) => `${n} 回目の送信で`,
  insteadOf: (home) => `${home} の代わり`,
  columns: {
    time: '時刻',
    expert: 'エキスパート',
    topic: 'トピック',
    timing: '内訳',
    total: '合計',
    tokens: '出力トークン',
    result: '結果',
  },
  legend: {
    decide: '読み取りと判定',
    queue: '待ち行列',
    first: '最初のトークンまで',
    stream: '残りの回答',
  },
  pause: '一時停止',
  resume: '再開',
};

export const trace: Words['trace'] = {
  title: 'リクエストの経過',
  back: 'リクエスト一覧',
  missing:
    'このトレース ID のリクエストは記憶されていません。存在しなかったか、古いものです。各プロセスは直近 1,000 件を保持し（毎秒 25 件を超える分は抜粋）、再起動で失われます。',
  ...story.sentences,
  timeline: '時間の内訳',
  ranking: 'エキスパートの順位',
  near: '近いトピック',
  details: '詳細',
  fields: {
    trace: 'トレース ID',
    status: 'HTTP ステータス',
    reason: '理由',
    replica: 'レプリカ',
    tries: '試行回数',
    conversation: '会話',
    home: '最適',
  },
};

export const conversations: Words['conversations'] = {
  reread: (tokens) => `（${tokens} 読み直し）`,
  lead: '最新のリクエストのうち、複数の発言がある会話です。どこで続いているか、移動のコストを示します。',
  empty: '複数の発言がある会話はまだありません。',
  movedOnly: '移動したものだけ',
  noneMoved: '移動した会話はありません。',
  columns: {
    last: '最後の発言',
    expert: '現在の場所',
    turns: '発言数',
    moves: '移動',
    path: '経路',
    cached: 'キャッシュ利用',
    lost: '移動による読み直し',
  },
  about:
    '「読み直し」は、移動した発言でキャッシュになかった入力トークンです。報告しないエンジンでは – と表示します。',
};
