import type { Moved } from '../../../../src/serving/board/wire.ts';
import type { Words } from '../index.ts';

const SEVERAL = '複数のエキスパート';

function movedWords({ count, from, to, reread }: Moved): string {
  const cost = reread === null ? '' : `（${reread.toLocaleString('ja')} トークンを読み直し）`;
  const way =
    from === null && to === null
      ? ''
      : `${from === null ? SEVERAL : `${from} `}から${to === null ? SEVERAL : ` ${to} `}へ`;
  return `会話 ${count.toLocaleString('ja')} 件が${way}移りました${cost}`;
}

export const now: Words['now'] = {
  lead: '複数の言語モデル（エキスパート）への共通の窓口です。プロンプトを読み取り、トピックの中に位置づけ、最も適したエキスパートへ送ります。',
  flow: {
    label: '直近 1 分間のプロンプトの行き先',
    prompts: 'プロンプト',
    rate: (n) => `毎秒 ${n} 件`,
    seldom: (n) => `直近 1 分間に ${n} 件`,
    topics: (n) => `読み取り、${n} 個のトピックの中に位置づけます`,
    away: (share) => `${share} は、最も適したエキスパートが混雑または停止しているため、ほかが回答しています`,
    busy: (running) => `${running} 件処理中`,
    waiting: (n) => `${n} 件待ち`,
    others: (n) => `ほか ${n} 個`,
    fallback: 'どれにも当てはまらないもの',
  },
  quiet: '直近 1 分間のリクエストはありません。',
  sentence: (running, rate) => `${running} 件に回答中で、毎秒 ${rate} 件の新しいリクエストが届いています。`,
  seldom: (running, n) => `直近 1 分間に ${n} 件のリクエストが届き、現在 ${running} 件に回答中です。`,
  home: (share) => `回答の ${share} は、プロンプトに最も適したエキスパートによるものです。`,
  begin: (half) => `回答の半数は ${half} 以内に始まっています。`,
  someFailed: (share) => `直近 1 分間のリクエストの ${share} が失敗しました。`,
  nobodyWaits: '待ち行列は空です。',
  waiting: (n) => `${n} 件が待ち行列にあります。`,
  down: (names) => `利用できません: ${names}。`,
  drained: (names) => `切り離し中（新しいリクエストは送られません）: ${names}。`,
  more: '詳細は「エキスパート」',
  allWell: 'すべてのエキスパートが利用できます。',
  minute: '直近 1 分間',
  inFlight: '処理中',
  rate: 'リクエスト/秒',
  output: '出力トークン/秒',
  ttft: '最初のトークンまで',
  tpot: 'トークンあたり',
  queued: '待ち行列',
  errors: 'エラー',
  most: (time) => `95 % が ${time} 以内`,
  ofAll: (n, of) => `${of} 件中 ${n} 件`,
  unreported: 'トークン数の報告がありません',
  charts: {
    requests: '毎秒のリクエスト（エキスパート別）',
    ttft: '最初のトークンまでの時間',
    tokens: '毎秒のトークン',
    trouble: '待ちと失敗',
    p50: '半数',
    p95: '95 %',
    p99: '99 %',
    input: '入力',
    cached: 'うちキャッシュ',
    outputTokens: '出力',
    queued: '待ち行列',
    failed: '毎秒の失敗',
  },
  empty: '直近 10 分間のリクエストはありません。「判定」でプロンプトを試すか、次のコマンドで送ってください。',
  yourKey: 'あなたのキー',
  experts: 'エキスパート',
  columns: {
    expert: 'エキスパート',
    state: '状態',
    load: '処理中',
    queue: '待ち',
    share: '割合',
    ttft: '最初のトークン',
    expected: '予想した待ち',
    waited: '実際の待ち',
    cache: 'キャッシュ利用',
    failed: '失敗',
  },
  about: '直近 1 分間の値です。「待ち」はこのルーターの待ち行列にいた時間で、選択時の予想と実際の値です。',
  events: '出来事',
  eventsHint: 'グラフの破線はこれらの時点を、軸上の短い印は会話がほかのエキスパートへ移った時点を示します。',
  event: {
    scaled: (what, [before, after] = [0, 0]) => `${what}: レプリカが ${before} から ${after} になりました`,
    drift: () => 'リクエストがルーターモデルの訓練時から離れています',
    down: (what) => `${what} がリクエストを受けられません`,
    up: (what) => `${what} が復帰しました`,
    drained: (what) => `${what} を切り離しました: 新しいリクエストは送られません`,
    resumed: (what) => `${what} を再開しました`,
    moved: (_, __, moved) => (moved ? movedWords(moved) : ''),
    reload: () => '設定を再読み込みしました',
    model: (what) => `新しいルーターモデル ${what}`,
  },
};
