import type { Words } from '../index.ts';

export const whatIf: Words['whatIf'] = {
  lead: '直近の数分を、条件を変えてもう一度たどります。記録されたリクエストを、実際と同じ判定コードでシミュレーターに通します。',
  none: '判定の記録がありません。設定に追加してください: records: {dir: ./records}',
  minutes: '分',
  policy: 'ポリシー',
  s: '適合度 1 に相当する秒数 (S)',
  router: 'ルーターモデル',
  fleet: 'エキスパート',
  fleetHint:
    'シミュレーターのために、各エキスパートの現在の構成を指定し、次に変更後の構成を指定します。記録に回答が十分あれば、エンジンの速さは記録から求めます。順に、レプリカ数 × モデル、レプリカあたりの GPU 数 × GPU です。',
  as: '現在',
  would: 'もしも',
  model: 'モデル',
  gpu: 'GPU',
  degree: 'レプリカあたり GPU',
  replicas: 'レプリカ',
  of: (what, expert) => `${expert} の${what}`,
  button: '再生',
  running: '再生しています…',
  result: 'どうなっていたか',
  recorded: '記録',
  asWas: 'シミュレーション（そのまま）',
  error: 'シミュレーターの誤差',
  changed: 'シミュレーション（変更後）',
  difference: '差',
  resultHint:
    'シミュレーターの誤差は、何も変えずに再生したときの記録とのずれです。差がそれより明らかに大きいときだけ信用してください。「≥」は、終了までに届かなかったリクエストが多く、下限しかわからない値です。',
  rows: {
    ttft: '最初のトークンまで',
    tpot: 'トークンあたり',
    e2e: '回答全体',
    output: '出力トークン/秒',
    home: '最も適したエキスパートの割合',
    tooLong: '長すぎてエンジンに入らない',
    unfinished: '間に合わなかった割合',
    gpus: 'GPU 数',
    cost: 'GPU の費用（ドル/時）',
  },
  notices: {
    broken: ({ count }) => `${count} 行は読み取れません。`,
    foreign: ({ count }) => `${count} 件の判定は別のルーターモデルによるもので、除きました。`,
    latest: ({ count }) => `最新の ${count} 件のリクエストだけを再生しました。`,
    lengths: ({ count, prompt, output }) =>
      `${count} 件のリクエストはエキスパートがトークン数を報告しなかったため、ほかの平均である ${prompt} と ${output} トークンとみなしました。`,
    insisted: ({ count }) =>
      `${count} 件のリクエストはエキスパートを指名していましたが、ここではほかと同じように選び直しました。`,
    away: ({ count }) =>
      `${count} 件のリクエストは担当のエキスパートが受けられず（停止または切り離し）別へ送られました。受けられなかったエキスパートは、ここでもその間は受けません。`,
    retried: ({ count }) =>
      `${count} 件のリクエストは失敗のあとで送り直され、その分の時間がかかりました。ここでは失敗は起きません。`,
    failed: ({ count }) => `${count} 件のリクエストは失敗しましたが、ここではすべてに回答します。`,
    timed: ({ experts }) =>
      `${experts.join('、')}: エンジンの速さはこの同じ記録から求めたため、誤差は予測の場合より小さくなります。モデルや GPU を変えると、エンジンのモデルが示す比率だけ速さが変わります。`,
    modelled: ({ experts }) =>
      `${experts.join('、')}: トークン数のわかるストリームの回答が少なく、エンジンの速さをモデルと GPU から推定しました。`,
  },
  notice: (text) => text,
  homes: '回答したエキスパート',
  requests: (n, seconds) => `${seconds} の間に ${n} 件のリクエスト。`,
};

export const reports: Words['reports'] = {
  lead: '負荷試験、シミュレーション、評価のレポートです。スクリプトなしで表示します。',
  none: 'レポートのフォルダーが設定されていません。設定に追加してください: reports: ./reports',
  empty: 'レポートはまだありません。expert-router loadtest と simulate が --html で書き出します。',
  name: 'レポート',
  written: '作成日時',
  size: 'サイズ',
};
