/**
 * What topics are called, in the words in which people describe an expert. A description names its subjects; what is near to
 * it in meaning is a guess, made only where it names none.
 */

/** By topic of `topics.ts`. A star stands for any letters that follow; a name may be of several topics. */
export const TOPIC_NAMES: Readonly<Record<string, string>> = {
  programming:
    'code, codes, coding, coder*, codebase*, program, programs, programming, programmer*, software*, develop*, debug*, bug, bugs, bug fixing, script, scripts, scripting, full-stack, fullstack, python, javascript, typescript, java, rust, golang, c++, c#, php, ruby, kotlin, bash, shell, git, github, refactor*, unit tests, pull requests, computer science, algorithm*, regex, regular expressions, programmier*, quellcode, entwickler*, entwicklung, programmation, développement, développeur*, programación, desarrollo, código, programmazione, codice, programação, プログラミング, プログラム, コード, コーディング, デバッグ, ソフトウェア, 编程, 代码, 程序, 프로그래밍, 코드, 코딩',
  'web pages':
    'frontend, front-end, front end, web pages, web development, web apps, web design, web sites, websites, html, css, react, vue, angular, javascript, typescript, user interface*, ui, ux, フロントエンド',
  'services and databases':
    'backend, back-end, back end, api, apis, database*, sql, nosql, postgres*, mysql, microservice*, バックエンド, データベース',
  'servers and deployment':
    'devops, kubernetes, docker, terraform, ci, ci/cd, pipelines, infrastructure, cloud, servers, linux, sre, deployment*, インフラ, サーバー, クラウド',
  'data and models':
    'data science, data scientist*, data analysis, data analytics, machine learning, deep learning, neural network*, pandas, データ分析, データサイエンス, 機械学習',
  computers:
    'computer, computers, hardware, laptop*, pcs, technical support, tech support, it support, help desk, helpdesk, smartphone*, phones, printers, wi-fi, wifi, windows, linux, operating systems, networks, networking, rechner, ordinateurs, informatique, パソコン, スマホ',
  mathematics:
    'math, maths, mathematic*, algebra*, geometry, calculus, arithmetic*, calculation*, calculates, trigonometry, number theory, equations, word problems, probability, probabilities, theorem*, proofs, reasoning, mathe*, mathematik*, rechnen, rechenaufgaben, mathématiques, calcul, calculs, matemática*, matematica, cálculo, 数学, 算数, 計算, 方程式, 微積分, 수학',
  statistics:
    'statistic*, data science, data analysis, data analytics, analytics, machine learning, deep learning, neural network*, econometrics, statistik*, statistiques, estadística, 統計, 機械学習, データ分析, データサイエンス',
  medicine:
    'medic*, health, healthcare, illness*, disease*, symptom*, doctor*, physician*, nurse*, nursing, clinic*, patients, drugs, pharma*, treatment*, diagnos*, hospital*, anatomy, dental, dentist*, medizin*, gesundheit*, krankheit*, arzt, ärzte, pflege, médecine, médical*, santé, maladie*, médic*, salud, enfermedad*, salute, 医療, 医学, 健康, 病気, 薬, 症状, 診断, 看護, 医疗, 의료, 의학, 건강',
  'fitness and diet':
    'fitness, diet*, nutrition*, workout*, weight loss, gym, ernährung, 栄養, ダイエット, 筋トレ, フィットネス',
  'physics and chemistry':
    'physics, chemistry, chemical*, science, sciences, scientific, physik*, chemie, naturwissenschaft*, wissenschaft*, physique, chimie, física, química, ciencia*, 物理, 化学, 科学, 理科',
  'biology and nature':
    'biolog*, nature, animals, plants, genetic*, ecology, zoology, botany, science, sciences, scientific, biologie, natur, tiere, naturwissenschaft*, wissenschaft*, biología, ciencia*, 生物, 動物, 植物, 科学, 理科',
  'earth and space':
    'geograph*, geology, astronom*, planets, universe, climate, science, sciences, scientific, erdkunde, naturwissenschaft*, wissenschaft*, géographie, geografía, ciencia*, 地理, 天文, 宇宙, 地学, 科学, 理科',
  law: 'law, laws, legal*, lawyer*, attorney*, contract, contracts, court, courts, tenancy, litigation, compliance, rights, recht, rechts*, jura, juristisch*, vertrag, verträge, droit, juridique*, derecho, jurídic*, diritto, 法律, 法務, 契約, 裁判, 弁護士, 법률',
  history: 'history, historical, historian*, geschichte, historisch*, histoire, historia, storia, 歴史, 역사',
  'politics and society':
    'politic*, government*, society, public administration, authorities, politik*, gesellschaft, politique, política, 政治, 社会, 行政',
  'business and economy':
    'business*, management, marketing*, sales, econom*, entrepreneur*, startup*, start-up*, human resources, business development, wirtschaft*, betriebswirtschaft*, économie, economía, negocios, ビジネス, 経営, 経済, マーケティング, 営業',
  'money and banking':
    'financ*, banking, bank, banks, invest*, tax, taxes, taxation, stocks, crypto*, accounting, bookkeeping, finanz*, steuer*, geld, impôts, finanza*, impuestos, 金融, 投資, 税金, 税務, 銀行, 会計, 家計',
  'cards and accounts':
    'card, cards, credit card*, debit card*, pin, bank account*, kreditkarte*, カード, 口座',
  loans: 'loan*, mortgage*, interest rate*, repayment*, lending, kredit*, hypothek*, prêts, ローン, 融資',
  insurance: 'insurance*, versicherung*, assurance*, seguros, 保険',
  'fraud and scams': 'fraud*, scam*, phishing, identity theft, betrug*, fraude*, 詐欺',
  'customers and contracts':
    'customer service, customer support, customer care, new contract*, subscription*, cancellation*, cancelling, upgrades, kundenservice, kundendienst, kündigung*, 解約, カスタマー*, お客様*',
  'bills and payments':
    'invoice*, billing, bills, payment*, refund*, rechnung*, zahlung*, facturation, facturación, 請求*, 支払*, 返金',
  'orders and deliveries':
    'order, orders, deliver*, shipping, returns, parcels, e-commerce, bestellung*, lieferung*, 注文, 配送, 返品',
  'telephone and internet':
    'telecom*, telephone*, phone, phones, internet, broadband, router*, wi-fi, wifi, sim, fibre, landline, roaming, mobile, telekommunikation, mobilfunk, festnetz, 通信, インターネット, 携帯*',
  employees:
    'human resources, hr, payroll, employee*, staff, recruit*, leave, onboarding, personalabteilung, personalwesen, ressources humaines, recursos humanos, 人事, 給与, 採用, 労務',
  'philosophy and religion': 'philosoph*, ethic*, religio*, theology, bible, filosofía, 哲学, 倫理, 宗教',
  'psychology and relationships':
    'psycholog*, relationship*, counsel*, coaching, mental health, beziehung*, psychologie, psicología, 心理, 人間関係, メンタルヘルス, 悩み相談',
  'creative writing':
    'creative writing, fiction, story, stories, storytelling, poem*, poet*, lyrics, novels, screenplay*, haiku, literature, writing, writer*, author*, role play, roleplay, role-play, dichtung, gedicht*, kreatives schreiben, poésie, poèmes, écriture, poesía, poemas, escritura, 創作, 小説, 詩, 物語, 作詞, 俳句, 文章作成',
  'letters and texts':
    'e-mail*, email*, letters, speeches, blog posts, blog, correspondence, proofread*, copywriting, marketing copy, editing, editor, grammar, essays, writing, writer*, texts, rewrit*, cv, cvs, resumes, cover letters, job applications, briefe, texte, korrektur*, lettres, courriels, rédaction, cartas, correos, メール, 手紙, 添削, スピーチ, 文章作成',
  'summaries and documents':
    'summar*, documents, document analysis, extraction, reports, pdfs, zusammenfassung*, résumé*, resumen, resúmenes, 要約, 文書, 書類',
  languages:
    'translat*, languages, language learning, vocabulary, linguist*, übersetz*, sprachen, traduction*, traduire, langues, traducción*, idiomas, 翻訳, 語学, 英会話, 通訳, 번역',
  cooking:
    'cook*, recipe*, food, foods, kitchen, baking, ingredients, meals, cuisine, chef, culinary, kochen, rezept*, küche, backen, recette*, cocina, receta*, cucina, ricette, 料理, レシピ, 食材, 調理, 献立, 요리',
  travel:
    'travel*, trips, holidays, vacation*, tourism, tourist*, hotels, flights, sightseeing, itinerar*, reise*, urlaub, voyage*, tourisme, viaje*, viaggi, 旅行, 観光, 여행',
  'restaurants and shopping':
    'shopping, restaurant*, shops, product recommendations, gifts, einkaufen, 買い物, レストラン, ショッピング',
  'house and garden':
    'house, household, garden*, diy, cleaning, repairs, renovation, haushalt, haus, garten, heimwerken, 家事, 掃除, 園芸, 庭',
  'cars and traffic':
    'car, cars, car repair, vehicle*, automotive, traffic, transport, driving, motorcycle*, bicycle*, autos, verkehr, voitures, coches, 自動車, 車, 交通',
  'pets and children':
    'pet, pets, dogs, cats, children, kids, baby, babies, parenting, parents, veterinar*, haustier*, kinder, erziehung, ペット, 子育て, 育児',
  'assistant and reminders':
    'reminder*, alarms, calendar*, smart home, scheduling, personal assistant, timers, リマインダー, アラーム, スケジュール',
  weather: 'weather, forecasts, wetter*, météo, 天気, 気象',
  'small talk': 'small talk, chit-chat, chitchat, jokes, banter, companion*, smalltalk, 雑談, おしゃべり',
  'films, music and books':
    'film*, movie*, music*, books, arts, museums, entertainment, literature, musik, kunst, musique, 映画, 音楽, 読書, 芸術, アニメ',
  'sport and games':
    'sport*, games, gaming, football, soccer, chess, spiele, スポーツ, ゲーム, サッカー, 野球',
  'riddles and logic':
    'riddle*, logic*, puzzle*, reasoning, brain-teasers, rätsel, 論理, なぞなぞ, パズル, 推論',
  'work and school':
    'school*, homework, education*, exams, career*, job interviews, university, tutor*, hausaufgaben, schule, 教育, 勉強, 宿題, 就職, 転職',
};

/** What says in which languages an expert answers, or what it is not for: no subject of its own. */
const ASIDES = [
  /\b(?:in|of|for) (?:any|all|many|several|other|various|both|different|\d+) (?:\p{L}+ )?languages?\b/giu,
  /\b(?:except|excluding|other than|but not|but no|not for|apart from|außer|sauf|excepto)\b.*/giu,
];

/** "Other than", which follows what it leaves out. */
const OTHER_THAN = '以外';

interface Name {
  /** Part of every text that the pattern is found in: looking for it is cheap, and few patterns need to be compiled. */
  readonly stem: string;
  readonly name: string;
  readonly topics: readonly string[];
}

const NAMES = names();

/** The topics that a description, or a part of it, calls by name. */
export function namedTopics(text: string): readonly string[] {
  const lower = text.normalize('NFKC').toLowerCase();
  let rest = ASIDES.reduce((left, aside) => left.replace(aside, ' '), withoutOthers(lower));
  const found = new Set<string>();
  for (const { stem, name, topics } of NAMES) {
    if (!rest.includes(stem)) continue;
    const without = rest.replace(patternOf(name), ' ');
    if (without === rest) continue;
    // Part of a longer name, which came before, is none: "machine learning" is no school.
    rest = without;
    for (const topic of topics) found.add(topic);
  }
  return [...found];
}

function withoutOthers(text: string): string {
  return text
    .split(/[、。]/)
    .map((part) => part.split(OTHER_THAN).at(-1)!)
    .join('、');
}

/** The longest first. */
function names(): readonly Name[] {
  const topicsOf = new Map<string, string[]>();
  for (const [topic, list] of Object.entries(TOPIC_NAMES))
    for (const name of list.split(', ')) topicsOf.set(name, [...(topicsOf.get(name) ?? []), topic]);
  return Array.from(topicsOf, ([name, topics]) => ({ name, topics }))
    .sort((one, other) => other.name.length - one.name.length)
    .map(({ name, topics }) => ({ stem: name.replace(/\*$/, ''), name, topics }));
}

/** Scripts without spaces have no words to be whole. */
function patternOf(name: string): RegExp {
  const escaped = name.replace(/[.+*?^${}()|[\]\\]/g, '\\$&').replace(/\\\*$/, '\\p{L}*');
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(name))
    return new RegExp(escaped, 'gu');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu');
}
