/** Prompts made from patterns and nouns, written for this purpose: short questions as people type them, by topic. */
import type { Random } from '../../src/core/random.ts';

/** A topic's patterns; `{n}` is one of its nouns, `{w}` any noun of the language. */
interface Topic {
  readonly nouns: string;
  readonly patterns: readonly string[];
}

const ENGLISH: readonly Topic[] = [
  {
    nouns:
      'rice|pancakes|a roast chicken|lentil soup|sourdough bread|risotto|an omelette|tomato sauce|apple pie|a curry|salmon|dumplings|mashed potatoes|a birthday cake|kimchi|hummus|gravy|pizza dough|a salad dressing|brownies|ramen|tacos|porridge|jam|a cheesecake',
    patterns: [
      'how do I cook {n}',
      'recipe for {n}',
      'How long does {n} take in the oven?',
      'what goes well with {n}',
      'Can I make {n} without eggs?',
      'my {n} turned out too salty, what now?',
      '{n} for six people, what do I need?',
      'how do I keep {n} from burning',
      'is {n} healthy',
    ],
  },
  {
    nouns:
      'diabetes|a migraine|asthma|high blood pressure|the flu|a sprained ankle|anaemia|eczema|heartburn|pneumonia|depression|insomnia|a kidney stone|measles|arthritis|an ear infection|food poisoning|vitamin D deficiency|a concussion|appendicitis|a stroke|hay fever|Covid|shingles|gout',
    patterns: [
      'What are the symptoms of {n}?',
      'how is {n} treated',
      'My father has {n}. Should he see a doctor?',
      'what causes {n}',
      'can children get {n}',
      'is {n} contagious',
      'Which medicine helps against {n}, and what are its side effects?',
      'home remedies for {n}',
      'how do doctors diagnose {n}',
    ],
  },
  {
    nouns:
      'photosynthesis|gravity|black holes|plate tectonics|the immune system|DNA|entropy|magnetism|evolution|radioactivity|volcanoes|the tides|enzymes|semiconductors|superconductivity|the ozone layer|atoms|bacteria|sound waves|the big bang|osmosis|chemical bonds|lightning|dinosaurs|the moon',
    patterns: [
      'Explain {n} to a ten-year-old.',
      'how does {n} work',
      'how do {n} work',
      'why is {n} important',
      'What did scientists learn about {n} in the last century?',
      'difference between {n} and {w}',
      'who discovered {n}',
      'is it true that {n} can be measured',
    ],
  },
  {
    nouns:
      'a quadratic equation|fractions|the area of a circle|a derivative|an integral|prime numbers|a matrix|logarithms|percentages|probability|standard deviation|a right triangle|binomial coefficients|linear equations|a geometric series|complex numbers|a limit|vectors|the greatest common divisor|compound interest',
    patterns: [
      'how do I calculate {n}',
      'Solve this problem about {n} step by step.',
      'What is {n}?',
      'prove a theorem on {n}',
      'explain {n} with an example',
      'exercise on {n} with solution',
      'formula for {n}',
    ],
  },
  {
    nouns:
      'a Python script|a JavaScript function|an SQL query|a Java class|a C++ template|a Rust program|a regular expression|a Docker container|a git branch|a React component|a REST API|a shell script|a unit test|a for loop|a recursive function|a linked list|an HTML form|a CSS layout|a Kubernetes pod|an nginx config|a TypeScript interface|a pandas dataframe|a segmentation fault|a null pointer|a race condition',
    patterns: [
      'write {n} that parses a CSV file',
      'how do I debug {n}',
      'Why does {n} throw an exception?',
      'refactor {n} for speed',
      'what is wrong with {n}',
      'explain {n} to a beginner',
      '{n} does not compile, error in line 12',
      'convert {n} to Go',
      'best practice for {n}',
      'add logging to {n}',
    ],
  },
  {
    nouns:
      'a tenancy agreement|a divorce|a patent|copyright|a speeding ticket|an employment contract|a will|custody of a child|a refund|defamation|a warranty|self-defence|data protection|a residence permit|bankruptcy|a class action|an inheritance|parental leave|a non-disclosure agreement|trespassing',
    patterns: [
      'What are my rights concerning {n}?',
      'can I sue over {n}',
      'do I need a lawyer for {n}',
      'what does the law say about {n}',
      'My neighbour and I disagree about {n}. Who is right?',
      'is {n} legal in Germany',
      'how do I appeal a decision on {n}',
    ],
  },
  {
    nouns:
      'the French Revolution|the Roman Empire|the Cold War|the Second World War|the Black Death|the Silk Road|ancient Egypt|the Meiji Restoration|the American Civil War|the Ottoman Empire|the Industrial Revolution|the Vikings|Napoleon|the Aztecs|the Berlin Wall|apartheid|the Renaissance|colonialism|Julius Caesar|the Great Depression',
    patterns: [
      'What caused {n}?',
      'who was involved in {n}',
      'when did {n} end',
      'summarise the history of {n}',
      'what do historians say about {n}',
      'why did {n} fail',
      'how did {n} change Europe',
    ],
  },
  {
    nouns:
      'inflation|the stock market|a mortgage|interest rates|a start-up|unemployment|taxes|a business plan|supply and demand|an index fund|exchange rates|a pension|marketing|a budget|monopolies|a balance sheet|the central bank|a credit card|tariffs|insurance',
    patterns: [
      'explain {n} simply',
      'how does {n} affect prices',
      'Should I worry about {n}?',
      'what is the best strategy for {n}',
      'how do companies deal with {n}',
      '{n} pros and cons',
      'what happens to {n} in a recession',
    ],
  },
  {
    nouns:
      'autumn|a lonely robot|the sea at night|a lost dog|first love|a dragon|my grandmother|winter|the moon|a haunted house|two old friends|a detective|a spaceship|the city at dawn|a retirement party|spring rain|a talking cat|a lighthouse keeper|hope|a wedding',
    patterns: [
      'Write a poem about {n}.',
      'a short story about {n}',
      'haiku on {n}',
      'write song lyrics about {n}',
      'Give me a funny dialogue with {n}',
      'opening line of a novel about {n}',
      'write a speech about {n}',
      'a limerick about {n}',
      'tell a bedtime story about {n}',
    ],
  },
  {
    nouns:
      'a cover letter|an e-mail to my boss|this paragraph|an essay|a thank-you note|a complaint|my CV|a blog post|an apology|a press release|a product description|an invitation|a resignation letter|a newsletter|minutes of a meeting',
    patterns: [
      'write {n}',
      'make {n} sound more polite',
      'Correct the grammar of {n}.',
      'shorten {n}',
      'how do I start {n}',
      'proofread {n} please',
      'translate {n} into French',
      'summarise {n} in two sentences',
    ],
  },
  {
    nouns:
      'Rome|Tokyo|Paris|Iceland|Thailand|New York|Kyoto|Peru|Lisbon|Morocco|the Alps|Vietnam|London|Berlin|Bali|Istanbul|Mexico City|Norway|Sydney|Cape Town',
    patterns: [
      'what should I see in {n}',
      'best time to visit {n}',
      'cheap flights to {n}',
      'Do I need a visa for {n}?',
      'plan three days in {n} with children',
      'hotel in {n} near the station',
      'how do I get around in {n}',
      'is {n} safe for tourists',
      'what is the capital near {n}',
    ],
  },
  {
    nouns:
      'the washing machine|my car|a bicycle tyre|the sink|a wooden floor|the garden|my phone|the heating|a red wine stain|the freezer|a leaking tap|the lawn|my laptop|the roof|a squeaky door|the battery|houseplants|mould|ants|a broken zip',
    patterns: [
      'how do I clean {n}',
      'how to fix {n}',
      '{n} makes a strange noise',
      'who repairs {n} near me',
      'What does it cost to replace {n}?',
      'remind me to check {n} tomorrow',
      'tips for {n}',
      '{n} is broken, what can I do?',
    ],
  },
  {
    nouns:
      'free will|justice|happiness|utilitarianism|Kant|the meaning of life|consciousness|Plato|Buddhism|stoicism|lying|animal rights|knowledge|the soul|existentialism|religion and science|death|freedom of speech',
    patterns: [
      'What did philosophers say about {n}?',
      'argue for and against {n}',
      'is {n} an illusion',
      'explain {n} in simple words',
      'which book on {n} should I read first',
    ],
  },
  {
    nouns:
      'anxiety|procrastination|memory|motivation|grief|personality|child development|attachment|habits|stress at work|group pressure|dreams|self-esteem|anger|shyness',
    patterns: [
      'how can I cope with {n}',
      'what does psychology say about {n}',
      'why do people suffer from {n}',
      'exercises against {n}',
      'what influences {n}',
    ],
  },
  {
    nouns:
      'football|chess|the Olympics|tennis|guitar|piano|jazz|a film director|Star Wars|a video game|Mozart|painting|photography|basketball|a marathon|The Beatles|opera|anime|yoga|swimming',
    patterns: [
      'who is the best in {n}',
      'how do I learn {n}',
      'rules of {n}',
      'recommend something like {n}',
      'when did {n} become popular',
      'famous people in {n}',
    ],
  },
  {
    nouns:
      'an alarm for six|a timer for ten minutes|a meeting on Monday|milk to my shopping list|the weather tomorrow|my bank balance|my next bus|jazz in the kitchen|the lights|a table for two|a taxi|my calendar|a reminder to call mum|the news|my to-do list',
    patterns: [
      'please set {n}',
      'add {n}',
      'what about {n}',
      'cancel {n}',
      'show me {n}',
      'change {n}',
      'could you check {n} for me',
    ],
  },
];

const JAPANESE: readonly Topic[] = [
  {
    nouns:
      'カレー|味噌汁|卵焼き|肉じゃが|餃子|チャーハン|お好み焼き|親子丼|パンケーキ|ラーメン|天ぷら|煮物|唐揚げ|パスタ|鍋料理|おにぎり|シチュー|プリン|炊き込みご飯|サラダ|ケーキ|豚汁|照り焼き|漬物|うどん',
    patterns: [
      '{n}の作り方を教えてください',
      '{n}の材料は何ですか',
      '{n}に合うおかずは？',
      '{n} レシピ 簡単',
      '{n}を作りすぎました。保存方法は？',
      '{n}は体にいいですか',
      '六人分の{n}には何が必要ですか',
    ],
  },
  {
    nouns:
      '糖尿病|高血圧|風邪|インフルエンザ|頭痛|腰痛|花粉症|喘息|貧血|胃炎|肺炎|うつ病|不眠症|骨折|脳梗塞|心筋梗塞|がん|アトピー|食中毒|熱中症|腎不全|肝炎|甲状腺|結核|認知症|感染症|発熱|下痢|めまい|動脈硬化',
    patterns: [
      '{n}の症状は何ですか',
      '{n}の治療法を教えてください',
      '{n}の原因',
      '{n}に効く薬はありますか',
      '父が{n}と診断されました。どうすればいいですか',
      '{n}の患者にみられる所見はどれか',
      '{n}を予防するには',
      '{n}について正しいものはどれか',
    ],
  },
  {
    nouns:
      '重力|光合成|地震|ブラックホール|酸素|電流|磁場|化学反応|原子|遺伝子|細胞|酵素|火山|月の満ち欠け|波長|運動量|熱力学|放射線|浸透圧|中和|恒星|惑星|電圧|抵抗|加速度|気体の体積|タンパク質|葉緑体|進化|ホルモン',
    patterns: [
      '{n}とは何ですか',
      '{n}の仕組みを説明してください',
      'なぜ{n}が起こるのですか',
      '{n}を求めなさい',
      '{n}と{w}の関係は？',
      '{n}について子供にわかるように教えて',
      '次のうち{n}に関する記述として正しいものはどれか',
    ],
  },
  {
    nouns:
      '二次方程式|確率|微分|積分|行列|三角形の面積|円の半径|分数|素数|対数|ベクトル|数列|平均値|標準偏差|最大公約数|連立方程式|因数分解|割合|速さ|組み合わせ|群|写像|極限|正規分布',
    patterns: [
      '{n}の求め方を教えてください',
      '{n}の公式',
      '{n}の問題を解いてください',
      '{n}を計算しなさい',
      '{n}を使って答えを求めよ',
      '{n}について証明してください',
      '{n}が分かりません',
    ],
  },
  {
    nouns:
      'Pythonのコード|JavaScriptの関数|SQLのクエリ|Javaのクラス|正規表現|シェルスクリプト|プログラム|アルゴリズム|データベース|Webサイト|サーバー|APIの呼び出し|リストのソート|再帰関数|配列の処理|エラー|例外処理|Dockerの設定|gitのブランチ|HTMLのフォーム|ユニットテスト|二分探索|暗号|機械学習のモデル|ネットワーク',
    patterns: [
      '{n}を書いてください',
      '{n}のバグを直してください',
      '{n}が動きません',
      '{n}を高速化する方法',
      '{n}の書き方を教えて',
      '{n}について説明してください',
      '{n}のサンプルをください',
    ],
  },
  {
    nouns:
      '契約|離婚|相続|著作権|労働基準法|賃貸契約|交通違反|損害賠償|憲法|刑法|国際法|条約|裁判|特許|消費者の権利|個人情報|遺言|解雇|商標|国際司法裁判所|外交特権|公海|主権|訴訟|民法',
    patterns: [
      '{n}について法律はどう定めていますか',
      '{n}の手続きを教えてください',
      '{n}でトラブルになりました。弁護士に相談すべきですか',
      '{n}に関する記述として正しいものを選びなさい',
      '{n}は違法ですか',
      '{n}の要件は何か',
    ],
  },
  {
    nouns:
      '江戸時代|明治維新|鎌倉幕府|第二次世界大戦|フランス革命|ローマ帝国|応仁の乱|縄文時代|産業革命|冷戦|織田信長|徳川家康|ナポレオン|十字軍|奈良時代|日露戦争|ルネサンス|宗教改革|古代エジプト|農耕の始まり|石器|平安京',
    patterns: [
      '{n}について教えてください',
      '{n}はいつ始まりましたか',
      '{n}の原因と結果',
      '{n}の時代の文化を説明してください',
      '{n}に関わった人物は誰ですか',
      '{n}の歴史的意義は何か',
    ],
  },
  {
    nouns:
      'インフレ|株式|金利|円安|失業率|需要と供給|税金|国内総生産|中央銀行|独占|貿易|会計|貸借対照表|マーケティング|経営戦略|企業の社会的責任|為替|住宅ローン|年金|利益|価格弾力性|回帰分析|広報|人材管理',
    patterns: [
      '{n}とは何ですか',
      '{n}が上がるとどうなりますか',
      '{n}について説明してください',
      '{n}の影響',
      '会社の{n}を改善するには',
      '{n}に関する次の記述のうち適切なものはどれか',
    ],
  },
  {
    nouns:
      '秋|海|猫|初恋|ロボット|祖母|雪|桜|月夜|旅人|雨の日|故郷|別れ|竜|魔法使い|探偵|友情|夕暮れ|宇宙船|子供時代',
    patterns: [
      '{n}をテーマに詩を書いてください',
      '{n}についての短い物語を書いて',
      '{n}の俳句を作って',
      '{n}を題材にした歌詞',
      '{n}が出てくる小説の書き出しを考えて',
      '{n}についてエッセイを書いてください',
    ],
  },
  {
    nouns:
      'お礼のメール|謝罪の手紙|履歴書|企画書|挨拶文|招待状|報告書|断りのメール|自己紹介|志望動機|議事録|お知らせ|スピーチ|感想文|レポート',
    patterns: [
      '{n}を書いてください',
      '{n}を丁寧な表現に直してください',
      '{n}の例文を教えて',
      '{n}を英語に翻訳してください',
      '{n}を要約してください',
      '{n}を添削してください',
    ],
  },
  {
    nouns:
      '京都|北海道|沖縄|東京|大阪|奈良|台湾|ハワイ|パリ|温泉|金沢|広島|富士山|韓国|ローマ|長崎|箱根|屋久島',
    patterns: [
      '{n}のおすすめの観光地を教えてください',
      '{n}旅行の計画を立てて',
      '{n}へ行くのに一番いい季節は？',
      '{n}のお土産',
      '{n}までの行き方を教えて',
      '{n}で泊まるところを探しています',
    ],
  },
  {
    nouns:
      '洗濯機|掃除|カーテン|観葉植物|冷蔵庫|自転車|パソコン|スマホ|布団|服のしみ|引っ越し|ゴミの分別|庭|犬の散歩|赤ちゃんの夜泣き|節約|ダイエット|運動|早起き|買い物',
    patterns: [
      '{n}のコツを教えてください',
      '{n}で困っています',
      '{n}の調子が悪いのですが、どうすればいいですか',
      '{n}について相談したいです',
      '{n}を続けるには',
      'おすすめの{n}はありますか',
      '{n}のやり方',
    ],
  },
  {
    nouns:
      '正義|幸福|自由意志|カント|プラトン|仏教|功利主義|道徳|キリスト教|イスラム教|論理|三段論法|実存主義|儒教|真理|心と体|神道|義務論|誤謬',
    patterns: [
      '{n}とは何か',
      '{n}について哲学者は何と言っていますか',
      '{n}の考え方を説明してください',
      '{n}に対する反論',
      '{n}の例として適切なものはどれか',
    ],
  },
  {
    nouns:
      '不安|記憶|動機づけ|性格|発達段階|条件づけ|ストレス|愛着|認知|学習理論|集団心理|偏見|社会化|家族|カウンセリング|自尊心|人間関係|職場の悩み|依存|睡眠',
    patterns: [
      '{n}について心理学ではどう考えますか',
      '{n}を説明する理論はどれか',
      '{n}に悩んでいます',
      '{n}を調べる実験',
      '{n}の特徴を述べよ',
    ],
  },
  {
    nouns:
      '人口|気候|首都|河川|山脈|砂漠|都市化|移民|農業|緯度|言語の分布|国境|島|季節風|世界の国々|海流|大陸',
    patterns: [
      '{n}が最も多い国はどこですか',
      '{n}について地理の観点から説明してください',
      '{n}の違いを教えて',
      '世界で一番大きい{n}はどれですか',
      '{n}に関する統計',
    ],
  },
  {
    nouns:
      'アラーム|予定|天気|音楽|照明|タクシー|電車の時間|銀行の残高|買い物リスト|ニュース|タイマー|会議|予約|荷物の配達|電話',
    patterns: [
      '{n}をセットして',
      '{n}を教えて',
      '{n}をキャンセルしたい',
      '明日の{n}を確認して',
      '{n}を変更してください',
    ],
  },
];

/** Questions about a bare noun, in patterns that suit nearly any. */
const ANY_ENGLISH = [
  'what is {w}',
  'Tell me about {w}.',
  '{w}',
  '{w} {w}',
  'difference between {w} and {w}',
  'how does {w} work',
  'Why is {w} called {w}?',
  'I need a {w} for my {w}',
  'Explain {w} in simple terms, please.',
  'history of {w}',
  'where can I find {w}',
  'is {w} dangerous',
  'Give me five facts about {w}.',
  'Compare {w} with {w}.',
] as const;

const ANY_JAPANESE = [
  '{w}とは',
  '{w}について説明してください',
  '{w} {w}',
  '{w}と{w}の違いは何ですか',
  '{w}の歴史を教えて',
  '{w}はなぜ{w}なのですか',
  '{w}の使い方',
  '{w}を英語で何と言いますか',
  '{w}の種類を教えてください',
  '{w}にはどんなものがありますか',
  '{w}をするときに使うものは何か',
  '{w}が多いところはどこか',
] as const;

const NAMES = 'Anna|Ben|Carla|Dev|Emma|Farid|Grace|Hiro|Ines|Jack|Kofi|Lena|Maria|Noah'.split('|');
const THINGS = 'apples|books|marbles|tickets|eggs|stamps|cookies|pencils|bottles|chairs|flowers|coins'.split(
  '|',
);
const JAPANESE_NAMES = '太郎|花子|健|美咲|田中さん|佐藤さん|鈴木さん|ゆい|翔'.split('|');
const JAPANESE_THINGS = 'りんご|本|みかん|鉛筆|切手|卵|お菓子|花|皿|ボール|チケット'.split('|');

type Numbered = (one: (bound: number) => number, pick: (list: readonly string[]) => string) => string;

const SUMS: readonly Numbered[] = [
  (n, p) => {
    const t = p(THINGS);
    return `${p(NAMES)} has ${n(40)} ${t} and buys ${n(20)} more. ${p(NAMES)} takes ${n(9)}. How many ${t} are left?`;
  },
  (n, p) =>
    `A box of ${p(THINGS)} costs $${n(30)}. How much do ${n(12)} boxes cost with a discount of ${n(40)}%?`,
  (n) => `What is ${n(99)} times ${n(99)}?`,
  (n) => `${n(500)} + ${n(500)} * ${n(20)} =`,
  (n) => `Solve ${n(9)}x + ${n(30)} = ${n(99)} for x.`,
  (n) => `find the roots of x^2 + ${n(12)}x + ${n(30)}`,
  (n) => `A train travels ${n(400)} km in ${n(8)} hours. How fast is it on average?`,
  (n, p) =>
    `${p(NAMES)} earns $${n(40)} an hour and works ${n(9)} hours a day. How much does ${p(NAMES)} earn in ${n(6)} weeks?`,
  (n) => `What is ${n(99)}% of ${n(900)}?`,
  (n) => `In how many ways can ${n(9)} people sit in a row?`,
  (n) => `Compute the integral of x^${n(6)} from 0 to ${n(9)}.`,
  (n) => `d/dx (${n(9)}x^${n(5)} - ${n(9)}x)`,
];

const JAPANESE_SUMS: readonly Numbered[] = [
  (n, p) =>
    `${p(JAPANESE_NAMES)}は${p(JAPANESE_THINGS)}を${n(40)}個持っています。${n(9)}個あげると、残りはいくつですか。`,
  (n, p) => `1個${n(300)}円の${p(JAPANESE_THINGS)}を${n(12)}個買うと、全部でいくらですか？`,
  (n) => `${n(99)}×${n(99)}を計算してください`,
  (n) => `時速${n(90)}kmで${n(6)}時間走ると何km進みますか`,
  (n) => `${n(9)}x + ${n(30)} = ${n(99)}を解け`,
  (n) => `定価${n(9)}000円の商品を${n(4)}割引で買うといくらになりますか`,
  (n) => `x^2 - ${n(12)}x + ${n(30)} = 0 の解を求めよ`,
];

/** Prompts by topic; `nouns` fill the places for any noun. */
export function topicPrompts(
  language: 'en' | 'ja',
  nouns: readonly string[],
  random: Random,
): readonly string[] {
  return (language === 'en' ? ENGLISH : JAPANESE).flatMap((topic) =>
    topic.nouns
      .split('|')
      .flatMap((noun) =>
        topic.patterns.map((pattern) => fill(pattern.replaceAll('{n}', noun), nouns, random)),
      ),
  );
}

/** `count` questions about any of the nouns. */
export function nounPrompts(
  language: 'en' | 'ja',
  nouns: readonly string[],
  count: number,
  random: Random,
): readonly string[] {
  const patterns = language === 'en' ? ANY_ENGLISH : ANY_JAPANESE;
  return Array.from({ length: count }, () => fill(patterns[random.below(patterns.length)]!, nouns, random));
}

/** `count` problems of arithmetic and algebra, in figures and words. */
export function sumPrompts(language: 'en' | 'ja', count: number, random: Random): readonly string[] {
  const kinds = language === 'en' ? SUMS : JAPANESE_SUMS;
  const number = (bound: number): number => 2 + random.below(bound - 1);
  const pick = (list: readonly string[]): string => list[random.below(list.length)]!;
  return Array.from({ length: count }, () => kinds[random.below(kinds.length)]!(number, pick));
}

function fill(pattern: string, nouns: readonly string[], random: Random): string {
  return pattern.replace(/\{w\}/g, () => nouns[random.below(nouns.length)]!);
}
