/** A request's story in Japanese. */
import type { StoryWords } from '../../../../src/serving/board/story-words.ts';

const sentences: StoryWords['sentences'] = {
  came: (when, path) => `${when} に ${path} へ届きました。`,
  by: (key) => `API キー「${key}」によるものです。`,
  decided: (time) => `読み取りと判定に ${time} かかりました。`,
  topic: (name, cluster, share) =>
    `最も近いトピックは「${name}」（クラスター ${cluster}）で、確信度は ${share} です。`,
  outsideText: 'ルーターモデルの知るどのトピックにも似ていません。',
  moved: (from, to) => `これで会話は、キャッシュを持つ ${from} から ${to} へ移りました。`,
  reread: (n) => `${n} トークンを読み直しました。`,
  queue: (time, expected) =>
    `待ち行列で ${time} 待ちました（${expected === null ? '待ちなしの予想でした' : `予想は ${expected}`}）。`,
  noQueue: '待ち行列では待ちませんでした。',
  asked: (expert, at) => `到着から ${at} 後に ${expert} へ送りました。`,
  hedged: (expert, at) => `まだトークンが来なかったため、到着から ${at} 後に ${expert} にも送りました。`,
  again: (expert, at, waited) =>
    `そこで${waited === null ? '' : `、さらに ${waited} 待ってから`}、到着から ${at} 後に ${expert} へ送りました。`,
  failedTry: (expert, at, why) => `${expert} に送ってから ${at} 後: ${why}。`,
  givenUp: (expert) => `${expert} はそれまでに答えなかったため、止めました。`,
  first: (time) => `最初のトークンは ${time} 後に届きました。`,
  running: (time) => `開始から ${time} たち、まだ処理中です。`,
  waitingFirst: 'まだトークンは届いていません。',
  ended: (time) => `回答は ${time} 後に完了しました。`,
  left: (time) => `回答の途中、${time} 後にクライアントが切断しました。`,
  failed: (why, time) => `${time} 後にエラーで終わりました: ${why}。`,
  cold: (expert) => `${expert} のサーバーは動いていなかったため、まず起動を待ちました。`,
  passedOn: (status, time) =>
    `そのエラーは、ステータス ${status} で ${time} 後にクライアントへ伝えられました。`,
  failedSo: (time) => `到着から ${time} 後、ここで終わりました。`,
  tokens: (input, output) => `エキスパートは ${input} トークンを読み、${output} トークンを書きました。`,
  cached: (n) => `読んだうち ${n} はキャッシュから得られました。`,
  cost: (dollars) => `費用は ${dollars} ドルでした。`,
  noPrice: (expert) => `設定に ${expert} の価格がないため、費用はわかりません。`,
  noTokens: 'エキスパートはトークン数を報告しませんでした。',
  speed: (time) => `最初のトークン以降、1 トークンあたり ${time} です。`,
  refused: 'エキスパートには送られませんでした。',
};

const reasons: StoryWords['reasons'] = {
  'nearest-cluster': (expert) => `プロンプトはこのトピックに属し、${expert} が担当しています。`,
  'nearest-cluster: said': (expert) =>
    `内容に最も適しているのは ${expert} です。説明とサンプルが最も近いためです。`,
  conversation: (expert) =>
    `会話は ${expert} のまま続きます。最後の発言がほかに属するとは言い切れず、移ると会話全体を読み直すことになります。`,
  spilled: (expert, home) =>
    `最も適しているのは ${home} ですが、ポリシーが負荷を見て ${expert} を選びました。`,
  'spilled: cost': (expert, home) =>
    `最も適しているのは ${home} ですが、そこで待つより ${expert} に送るほうが得です。`,
  'spilled: unavailable': (expert, home) =>
    `最も適しているのは ${home} ですが、リクエストを受けられなかったため、ほかの中で最も良い ${expert} を選びました。`,
  local: (expert, home) =>
    `最も適しているのは ${home} ですが、このプロンプトはローカルのエキスパートにしか送れないため、${expert} が答えます。`,
  able: (expert, home) =>
    `最も適しているのは ${home} ですが、この種のリクエストに答えられるのは一部のエキスパートだけなので、${expert} が答えます。`,
  outside: (expert) =>
    `ルーターモデルの知るどのトピックにも似ていないため、フォールバックの ${expert} が答えます。`,
  learned: (expert) => `似たプロンプトでの評価から、${expert} が最も適しています。`,
  explored: (expert, home) =>
    `最も適しているのは ${home} ですが、このようなプロンプトにどれほど答えられるかを知るため、今回は ${expert} を試します。`,
  balanced: (expert) =>
    `エキスパートに違いがないため、会話は均等に割り振られます。この会話は ${expert} が担当します。`,
  'side-request': (expert) =>
    `タイトルの作成など、会話についてのプログラムからの依頼です。設定により ${expert} が答えます。`,
  named: (expert) => `リクエストがモデル名として ${expert} を指定しています。`,
  forced: (expert) => `リクエストのヘッダーが ${expert} を指定しています。`,
};

const errors: StoryWords['errors'] = {
  invalid_request: 'リクエストが正しくありません',
  invalid_json: '本文が正しい JSON ではありません',
  invalid_body: '本文を読み取れません',
  request_loop: 'このルーターを一度通ったリクエストで、循環しています',
  body_too_large: '本文が大きすぎます',
  unsupported_media_type: 'この種類の本文は受け付けません',
  not_found: '該当するものがありません',
  method_not_allowed: 'このアドレスでは使えないメソッドです',
  model_not_found: '指定されたモデルはここにはありません',
  context_length_exceeded: 'どのエキスパートにも読み切れない長さです',
  previous_response_not_found: '続きの元になる応答が保存されていません',
  unsupported_parameter: '対応していない項目があります',
  unsupported_request: '求められた機能を持つエキスパートがいません',
  invalid_api_key: 'API キーがないか、登録されていません',
  role_missing: 'この API キーでは許可されていません',
  model_not_allowed: 'この API キーではそのモデルを使えません',
  not_reloaded: '新しい設定を読み込めませんでした',
  not_local: 'ローカルのエキスパートにしか送れず、受けられるものがいませんでした',
  host_not_allowed: 'このルーターが受け付けないホスト名です',
  origin_not_allowed: 'このウェブページからは利用できません',
  expert_error: 'エキスパートがエラーを返しました',
  expert_failed: 'エキスパートがエラーを返しました',
  expert_unreachable: 'エキスパートに接続できないか、回答前に切断されました',
  expert_cut_stream: '回答が途中で切れました',
  expert_timeout: 'エキスパートが制限時間を超えました',
  expert_not_ready: '準備のできたエキスパートがいませんでした',
  rate_limit_exceeded: 'API キーの利用頻度の上限に達しました',
  insufficient_quota: 'API キーの予算を使い切りました',
  limits_unavailable: 'API キーの上限を確認できませんでした',
  overloaded: '待っているリクエストが多すぎました',
  queue_timeout: '時間内に空きができませんでした',
  too_many_connections: '接続が多すぎました',
  shutting_down: 'ルーターが終了するところでした',
  metrics_incomplete: 'ルーターのプロセスの一つが時間内に応答しませんでした',
  internal_error: 'ルーター自身の障害です。ログにトレース ID とともに記録があります',
};

const refusals: StoryWords['refusals'] = {
  401: '設定されたキーを拒みました',
  402: 'クレジット不足で拒みました',
  403: '設定された認証情報を拒みました',
  404: '設定が名指すモデルやパスがありません',
  429: 'そのときはこれ以上受け付けませんでした',
  503: '今は受け付けないと答えました',
};

export const story: StoryWords = { gap: '', sentences, reasons, errors, refusals };
