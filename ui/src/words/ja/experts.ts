import type { Words } from '../index.ts';

export const experts: Words['experts'] = {
  lead: '各エキスパートとそのレプリカの状態です。ルーターから見た値と、エンジンの報告値を示します。ブレーカーが「遮断」の間は、失敗の続いたレプリカにリクエストを送りません。',
  columns: {
    replica: 'レプリカ',
    health: '状態',
    breaker: 'ブレーカー',
    inFlight: '処理中',
    limit: '上限',
    rate: 'トークン/秒',
    engine: 'エンジン',
    running: '実行中',
    waiting: '待ち',
    cache: 'KV キャッシュ',
  },
  noPrice: '設定に価格がないため、費用はわかりません',
  price: (input, output) => `100 万トークンあたり 入力 ${input} / 出力 ${output} ドル`,
  pricePerHour: (dollars) => `GPU 1 時間あたり ${dollars} ドル`,
  cost: (dollars) => `直近 10 分で ${dollars} ドル`,
  topics: (n) => `トピック ${n} 個`,
  fallback: 'フォールバック',
  none: '担当トピックなし',
  service: '運用',
  operators:
    'エキスパートの切り離しと設定の再読み込みには、ロール「operate」を持つキーでサインインしてください。',
  drain: '切り離す',
  drainAsk: (what) =>
    `${what} を切り離しますか？ 回答中のものは最後まで続き、再開するまで新しいリクエストは送られません。その間のプロンプトは別のエキスパートへ送られます。`,
  drainLast: 'ほかに受けられるものがないため、すべてのリクエストが拒否されます。',
  isDrained: '切り離しました。',
  resume: '再開する',
  resumeAsk: (what) => `${what} を再開しますか？ ふたたびリクエストが送られます。`,
  resumed: '再開しました。',
  reload: '設定を再読み込み',
  reloadAsk:
    '設定ファイルとルーターモデルを今の内容で読み込みますか？ 進行中の回答はそのまま終わり、問題があれば何も変わりません。',
  reloaded: (experts) => `再読み込みしました: エキスパート ${experts} 件`,
};

export const topics: Words['topics'] = {
  lead: 'ルーターモデルの知識です。割合は、学習プロンプトの中と、直近 10 分間のリクエストの中でのものです。',
  facts: (id, clusters, prompts, embedding) =>
    `ルーターモデル ${id}: プロンプト ${prompts} 件から得た ${clusters} 個のトピック（${embedding} 埋め込み）`,
  columns: {
    topic: 'トピック',
    words: '特徴語',
    expert: 'エキスパート',
    trained: '学習時',
    now: '現在',
    change: '変化',
  },
  drift: (distance, bound, requests) =>
    `ドリフト ${distance}（最大 1。${requests} 件なら偶然だけで ${bound} まで）。`,
  driftHint: '現在と訓練時の割合のイェンセン・シャノン距離です。',
  few: 'ドリフトを判断するにはリクエストが少なすぎます',
  fits: 'ルーターモデルを作り直す理由は見当たりません。',
  moved: 'トピックの割合が変わりました',
  stranger: '訓練時に似たものがないリクエストが多くあります',
  refit: '現在のプロンプトでルーターモデルを訓練し直してください: expert-router train',
  outside: (share) => `リクエストの ${share} は、モデルの知るどのトピックにも似ていません。`,
  quiet: '直近 10 分間のリクエストがないため、「現在」は空です。',
};

export const retraining: Words['retraining'] = {
  title: '新しいルーターモデル',
  lead: 'ここに記録されたプロンプトで訓練します。適用するまでは、一部のリクエストを並行して判定するだけで、何も変えません。',
  running: '訓練しています…',
  done: (id, prompts, time) => `プロンプト ${prompts} 件で ${id} を訓練しました（${time}）。`,
  stayed: (kept, of, moved) =>
    `${of} 個のトピックのうち ${kept} 個がそのまま残り、プロンプトの ${moved} が別のトピックに移りました。`,
  fewPrompts: 'プロンプトが少なすぎます。少なくとも数百件が必要です。',
  nothing: (id) => `${id} が並行して判定します。まだリクエストを見ていません。`,
  compared: (id, n, share) =>
    `${id} は ${n} 件のリクエストを判定し、そのうち ${share} は別のエキスパートの担当になります。`,
  differences: '別のエキスパートの担当になるプロンプト',
  from: '現在',
  to: '新しいモデル',
  share: '割合',
  lacking: 'ここから訓練するには、設定に次のものが必要です。',
  cures: {
    records: 'プロンプトの記録 – records: {dir: ./records, prompts: true}',
    router: '独自のルーターモデル – router: ./router.safetensors（最初は付属のモデルの写し）',
    shadow: '新しいモデルの置き場所 – shadow: ./next.router.safetensors',
  },
  operators: '訓練と適用には、ロール「operate」を持つキーでサインインしてください。',
  retrain: '訓練する',
  retrainAsk: '記録されたプロンプトで訓練しますか？ 低い優先度で数分かかり、適用するまで何も変わりません。',
  begun: '始めました。',
  apply: '新しいモデルを適用',
  applyAsk:
    '今後は新しいルーターモデルで判定しますか？ これまでのモデルは .before で終わるファイルとして残ります。',
  applied: '適用しました。',
};
