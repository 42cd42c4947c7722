/**
 * What people ask a general assistant, by topic, in typical prompts of two languages: what an expert's description is
 * understood by, and what the fallback answers. Written for this purpose.
 */

export interface Topic {
  /** For people: in warnings and explanations. */
  readonly name: string;
  /** The wider topic that it is a part of; its own name where it is none. */
  readonly of: string;
  /** Typical prompts, one list a language. */
  readonly prompts: readonly (readonly string[])[];
}

function topic(name: string, ...prompts: readonly string[]): Topic {
  return part(name, name, ...prompts);
}

function part(of: string, name: string, ...prompts: readonly string[]): Topic {
  return { name, of, prompts: prompts.map((list) => list.split(' | ')) };
}

export const TOPICS: readonly Topic[] = [
  topic(
    'programming',
    'Write a Java method that sorts an array | Why does my code throw an exception? | Debug this function, the test fails | How do I join two tables in SQL? | undo the last git commit | Explain pointers in C++ | refactor this class | software engineering, programs, scripts, databases | const total = items.reduce((a, b) => a + b, 0); | Python list comprehension example | error: cannot find module | TypeError: object of type NoneType has no len | my program crashes with a null pointer | the build fails after upgrading a package | dependency version conflict in the package manager | container does not start, exit code 1 | git rebase, branch, pull request | CSS layout, flexbox, align two elements | HTML form with JavaScript | regular expression for e-mail addresses | what does this error message mean | write unit tests for this module | parse a JSON file | REST API returns 500 | loop over a dictionary | async await and promises | memory leak in a C program | deploy to kubernetes | how does binary search work | shell script to back up a directory | the query is slow, add an index | difference between a class and an interface | compile error: undefined reference | the login page throws an exception | read a file line by line | the compiler complains about a missing semicolon | rename a git branch | two threads block each other, deadlock | stack and heap memory of a program | big O complexity of an algorithm | hash table or linked list, which data structure | the virtual machine or cluster pod keeps restarting | pip cannot find a matching version | null, undefined and variable scope | infinite loop, the program hangs | authentication token of a web service expires | spreadsheet macro in Visual Basic | read a column of a data frame with pandas | merge conflict after pull | invalid memory access, the process was killed | mock a function in a test | how do I log in with SSH keys from a script | type annotations for this class | convert this script from Perl to Ruby | the component renders twice after a state change | props and hooks of a web framework | goroutines, threads and channels, concurrency | event handler fires too often | pagination of a database query | type mismatch, cannot convert string to number',
    '配列をソートするプログラムを書いて | コードのエラーを直してください | JavaScriptの関数の書き方 | データベースの設計 | プログラミング言語 | バグの原因を調べたい | 変数と関数の使い方 | ループの書き方 | ライブラリのインストールに失敗する | データベースへの接続エラー | テストコードを書いて | アルゴリズムの計算量 | 並行処理とスレッド | 非同期処理の書き方 | 画面の部品が再描画される | 正規表現で文字列を置換する',
  ),
  part(
    'programming',
    'web pages',
    'the text is not in the middle of its box | a grid with three columns in CSS | React renders the list again and again | validate a form before it is sent | a dark mode for the page | the layout breaks on small screens | useState keeps the old value | animate a menu when the mouse is over it | Tailwind classes have no effect | a screen reader skips the label | lazy loading of images on a page | the popup opens behind the header',
    '画面のレイアウトが崩れる | CSSで横に並べたい | Reactの状態管理 | ボタンを押しても反応しない',
  ),
  part(
    'programming',
    'services and databases',
    'an index for a table with many rows | design the endpoints of an API for orders | isolation levels of concurrent writes | the ORM sends one query for each row | tokens or sessions for the login to an API | the connection pool is exhausted | change a column of a large table without downtime | a queue between two services | a thread-safe cache in Java | retry a request that timed out | limit the rate of requests per user | gRPC beside REST | the server answers 500 for some users',
    'APIの設計 | SQLのクエリを速くしたい | トランザクションの扱い | サーバーが500を返す',
  ),
  part(
    'programming',
    'servers and deployment',
    'pods are pending in the cluster | a pipeline that tests and deploys | the state of Terraform is locked | a systemd service does not start | roll out a version and roll it back | the certificate of the ingress has expired | the disk of the server is full | a chart fails to upgrade | the public key is refused by the server | the reverse proxy finds no upstream | a cron job does not run | images of containers grow too large | logs and alerts of a cluster',
    'コンテナが再起動を繰り返す | デプロイの自動化 | Linuxサーバーの設定 | クラウドの構成',
  ),
  part(
    'programming',
    'data and models',
    'join two tables by date in pandas | scatter plot with matplotlib | split into training and test data | accuracy is high in training and low in the test | fill gaps in a column | how many clusters should I choose | random forest or gradient boosting | precision, recall and the confusion matrix | encode categories as numbers | normalise the features | is the difference of the A/B test significant | a notebook that reads a CSV file',
    'データフレームを結合する | 学習データとテストデータ | グラフを描く | 欠損値の処理',
  ),
  topic(
    'computers',
    'my laptop is slow | How do I reset my router? | install a printer driver | which phone has the best camera | Linux server, nginx, network, VPN | forgot my password | which tablet is good for drawing | recover deleted photos | Excel formula for a sum | the screen stays black | how do I take a screenshot | e-mail does not arrive | is this attachment a virus | my phone battery drains quickly | the printer does not print | move contacts to a new phone | free up storage | which browser is safe | connect headphones by Bluetooth | back up my computer | the mouse does not react | update Windows | the wifi is not working, fix it',
    'パソコンが起動しません | スマホの容量を増やすには | Wi-Fiにつながらない | プリンターが動かない | パスワードを忘れた | 画面が固まる',
  ),
  topic(
    'mathematics',
    'Solve the equation 5x - 3 = 12 | What is 15 percent of 60? | derivative of x^3 | Prove this theorem | How many ways can six people sit at a table? | Tom has 12 apples and gives away 5. How many are left? | mathematics, algebra, geometry, calculus | area of a circle with radius 4 | The probability of drawing an ace | what is 8 times 7 | 25 % discount on 80 euros | factor this polynomial | least common multiple of 4 and 6 | sum of the angles of a triangle | 5 machines make 20 parts in 4 hours, how long do 2 machines need | matrix, determinant, eigenvalue | limit of this sequence | is this number prime | convert 3/8 to a decimal | two dice are rolled, how likely is a seven | volume of a cone | how old is Anna if she is twice as old as Ben | integral of sin x | add one half and two thirds | 20 % of 350 | divide a rope into three parts in the ratio 2 to 5 | square root of 144 | how many diagonals, edges and corners does a hexagon have | chance of heads when tossing a coin | simplify and expand the brackets | average speed of a car over 90 km | how much does each one pay if four share the bill | powers and logarithms',
    '方程式を解いてください | 25×16を計算して | 円の面積の公式 | 確率の問題 | 数学、代数、幾何 | りんごを5個買うと全部でいくらですか | 72を8で割ると | 平方根を求めて | 三角形の面積',
  ),
  topic(
    'statistics',
    'What is a p-value? | mean, median and standard deviation of these numbers | linear regression with two variables | train a neural network, machine learning | correlation is not causation',
    '標準偏差とは | 回帰分析の結果の読み方 | 機械学習のモデル',
  ),
  topic(
    'medicine',
    'What are the symptoms of pneumonia? | treatment for asthma | side effects of this medicine | my knee hurts when I run | Is this rash dangerous, should I see a doctor? | medicine, diseases, drugs, diagnosis, therapy | The patient has a fever and a cough | how much sleep is healthy | vaccination against measles | I have had a stomach ache since yesterday | is a temperature of 38 dangerous | tingling in my fingers | can I drink wine while taking these pills | how long is this infectious | dizzy when I stand up | the baby has a fever and does not drink | cholesterol and blood pressure values | sprained my wrist | pain in the chest and short of breath | flu or just a cold | allergic to nuts, itching and swelling | is this mole cancer | pregnant and nauseous | tablets for sleeping, dosage | depression and antidepressants | my eyes are red and burn | I feel sick and have to vomit | my ear aches | may I take two painkillers together | swollen ankle after a fall | what does this blood test value mean | the laboratory value is too high, inflammation | measles, mumps and chickenpox in children | my heart beats fast at night | forgot to take my tablet | toothache | cut my finger, it bleeds | how is diabetes treated | migraine and nausea | hay fever, runny nose | insect bite is swollen | operation on the knee, how long until I can walk | inflammation, infection, antibiotics | is this contagious',
    '頭痛がひどいです | この薬の副作用は | 肺炎の治療 | 病院に行くべき症状 | 医療、病気、診断 | 熱と咳があります | お腹が痛い | 薬を飲み忘れた | 血圧が高い | 目がかゆい | 腰痛の治し方 | 歯が痛い',
  ),
  topic(
    'fitness and diet',
    'how do I lose weight | exercises for the back | How many calories are in a banana? | a training plan for a marathon | is coffee bad for you | how many steps a day | running plan for beginners | protein for building muscle | stretching after cycling | how do I get a flat stomach | vitamins and minerals in vegetables | push-ups a day | low-carb diet | swim or cycle to get fit | warm up before sport',
    'ダイエットの方法 | 筋トレのメニュー | 体にいい食べ物 | カロリーを減らす | ランニングを始めたい',
  ),
  topic(
    'physics and chemistry',
    'Why does ice float on water? | How does an electric motor work? | law of gravity | chemical reaction of acid and base | speed of light, energy, waves | What is an atom made of? | temperature and pressure of a gas | how does a refrigerator work | why do ships not sink | how does a rocket fly | what is a vacuum | why is snow white | how do batteries work | what is radioactivity | how do magnets work | what is electricity | why is the sky blue | why does metal feel cold | how does a microwave heat food | acids, salts and metals | how does sound travel | what is light made of | what are quantum particles | mass and weight, force and acceleration | why does iron rust | how does soap clean | boiling point of water on a mountain',
    '重力とは何ですか | 電気はどうやって作られるの | 酸とアルカリの反応 | 物理と化学 | 光の速さ | 空はなぜ青い | 虹の仕組み | 音の速さ | 磁石の仕組み',
  ),
  topic(
    'biology and nature',
    'How do plants grow? | What do whales eat? | evolution of birds | what does a cell consist of | DNA and genes | why do dogs bark | how do bees make honey | how does the heart pump blood | what are bacteria made of | why do leaves turn red | how long do elephants live | how are new medicines developed | how does the immune system work | photosynthesis in leaves | why do birds migrate | largest animal on earth | how do fish breathe | what do spiders eat | the life of a butterfly | viruses and bacteria, what is the difference | why do we dream | how does the eye see | mushrooms and trees in the forest',
    '植物はどうやって育つの | 恐竜はなぜ絶滅した | 細胞と遺伝子 | 鳥はなぜ飛べるのですか | 光合成とは | 蝶の成長 | 魚はどうやって呼吸する',
  ),
  topic(
    'earth and space',
    'How hot is the sun? | planets of the solar system | why do volcanoes erupt | what is a galaxy | climate change and the oceans | which is the longest river in the world | capital of Australia | how far away is the moon | what happens inside a star | how do earthquakes happen | how deep is the sea | which country has the most people | when is the next eclipse | why are there seasons | distance to the moon | how are mountains made | black holes and the universe | why is the sea salty | what causes tides | how old is the earth | which planet has rings | what is a hurricane',
    '太陽はなぜ熱いの | 火山の噴火 | 宇宙の広さ | 世界で一番高い山 | 首都はどこですか | 月までの距離 | 地震はなぜ起きる | ブラックホール',
  ),
  topic(
    'law',
    'My landlord does not give back my deposit | can I sue the company | rights of employees, contracts, courts | is it legal to record a call | what does the law say about inheritance | I got a speeding ticket, do I have to pay? | copyright and trademarks | can my employer dismiss me without notice | am I allowed to sublet my flat | the seller will not take the goods back | what does this clause in the contract mean | divorce and custody of the children | write a will, who inherits | fine for parking, appeal against it | rent increase, is that allowed | liability for damage | confidentiality agreement broken, what are the penalties | criminal charges, police, lawyer | warranty and consumer rights | is it allowed to film people in public | sick leave and termination of employment | my landlord keeps the deposit | object to a fine in time | may the boss read private messages of employees | the shop refuses a refund, what are my rights | testament and heirs | neighbour builds over the boundary | how long is the period of notice | sign a lease, clauses | claim damages after an accident | data protection, privacy | maintenance for children after separation | do I have to testify in court | the tenant does not pay | crimes and offences, sentence and prison | non-competition clause of a former employer | is a spoken promise binding',
    '契約を解除できますか | 弁護士に相談したい | 法律上の権利 | 裁判の手続き | 遺産相続 | 敷金を返してもらえない | 残業代を請求したい | 離婚の手続き | 訴えることはできますか | 著作権の侵害',
  ),
  topic(
    'history',
    'Who was Julius Caesar? | causes of the French Revolution | What happened in 1945? | ancient Egypt and the pyramids | the history of the Ottoman Empire | when did the war end | who discovered America | when was the Roman Empire founded | who was the first president | why did the first world war begin | the Cold War and the wall | who invented printing | who built the great wall | fall of the Roman empire | kings and queens of the middle ages | when did the Berlin wall come down | the age of discoveries | slavery and civil war | when was the city founded | industrial revolution | pharaohs',
    '明治維新について | 徳川家康は何をした人 | 戦国時代の歴史 | 戦争はいつ終わりましたか | 江戸時代の暮らし | 第二次世界大戦 | 誰が発明したの',
  ),
  topic(
    'politics and society',
    'How does parliament pass a bill? | difference between left and right parties | human rights and immigration | what does the United Nations do | the election system | who is the chancellor | what is a democracy | how do I register to vote | apply for an identity card at the town hall | renew a driving licence | which documents does the office need | apply for a passport | renew my passport or identity card | register a new address at the office | how are laws made | which party governs | king, president and prime minister | what does the mayor do | European Union, NATO | visa and residence permit for foreigners | birth certificate',
    '選挙の仕組み | 国会の役割 | 社会問題と政治 | パスポートの更新 | 住民票の手続き | 憲法とは',
  ),
  topic(
    'business and economy',
    'Explain supply and demand | marketing plan for a start-up | how do I motivate my team | gross domestic product and unemployment | write a business plan | price strategy, customers, competition | why do interest rates rise | what is a recession | how do I found a company | balance sheet and cash flow | key figures for investors | write a job advertisement | find customers for a small shop | inflation and central banks | accounting, depreciation, bad debts | how do I set a price | market research | import duties and trade | supply chain | hire employees | agenda for a team meeting | competitors and market share',
    '需要と供給 | 会社の経営 | 新しい商品の売り方 | 景気と失業率 | 事業計画 | インフレとは | 簿記の仕訳 | 起業の方法 | 売上を伸ばす',
  ),
  topic(
    'money and banking',
    'how much is in my account | should I buy shares or funds | my credit card was stolen | taxes for the self-employed | transfer money abroad | saving for a pension, mortgage, insurance | pay back a loan earlier | open a bank account | how much can I save per month | what is compound interest on my savings account | index funds and shares | fixed or variable mortgage rate | exchange rate euro dollar | my card was declined | which insurance do I need | tax return deadline | household budget | interest on a credit',
    '銀行口座の残高 | 投資を始めたい | 税金の計算 | クレジットカードをなくした | 住宅ローンの金利 | 保険の選び方 | 円安',
  ),
  part(
    'money and banking',
    'cards and accounts',
    'the cash machine kept my card | set a new PIN | my card is blocked | a higher limit for the holidays | the terminal refuses my card | when does my new card come | a savings account for my son | what is my balance | stop a standing order | change the address of my account | a transfer has not arrived',
    'カードが使えない | 暗証番号を変更したい | 口座を開設する | 振込が届かない',
  ),
  part(
    'money and banking',
    'loans',
    'how much can I borrow for a house | the rate of a loan of 20,000 over five years | pay off a mortgage before its end | refinance at a lower interest rate | a loan for a motorcycle | I am behind with my instalments | papers for the purchase of a flat | a guarantor for a student loan | the term of the credit and what it costs',
    'ローンを組みたい | 返済が苦しい | 金利はいくらですか | 繰り上げ返済',
  ),
  part(
    'money and banking',
    'insurance',
    'water damage in the kitchen, who pays | report an accident | does my policy cover theft | the premium went up after a claim | cover for a cruise | the dentist sent a bill, what is reimbursed | the deductible of my contract | insure a bicycle',
    '保険金の請求 | 事故の報告 | 補償の範囲 | 保険料が上がった',
  ),
  topic(
    'fraud and scams',
    'is this e-mail really from my bank | somebody uses my account | I think I was hacked | a stranger asked for the code on my phone | they want to be paid with gift cards | report a page that steals passwords | payments that I never made | a login from a country where I am not | my identity card was stolen and used | a caller pretended to be the police',
    '不審なメールが届いた | 身に覚えのない請求 | パスワードを盗まれた | 詐欺かもしれない',
  ),
  part(
    'customers and contracts',
    'bills and payments',
    'the invoice is wrong | I want my money back | you took the money twice | why did the price go up | send me the invoice again | change how I pay | the discount is missing | when does the refund come | the direct debit was returned | what does the basic plan cost | pay in instalments | a reminder for a bill that I have paid',
    '請求書が間違っている | 返金してほしい | 支払い方法を変更したい | 料金が高くなった',
  ),
  part(
    'customers and contracts',
    'orders and deliveries',
    'where is my parcel | the shoes do not fit, I want to send them back | change the delivery address | it arrived broken | the article is out of stock | my voucher does not work | half of my order is missing | the courier did not ring | how long does shipping take | exchange it for a larger size',
    '注文した商品が届かない | 返品したい | 配送先を変更したい | 在庫はありますか',
  ),
  topic(
    'customers and contracts',
    'cancel my subscription | upgrade to the larger plan | how long am I bound | a second contract for my wife | I move to another town, what happens to my contract | pause my membership | a downgrade to the free plan | when does my subscription end | add a user to our plan | I no longer want to be a customer',
    '解約したい | プランを変更したい | 契約の更新 | 引っ越しの手続き',
  ),
  topic(
    'telephone and internet',
    'no internet since this morning | the connection is slow in the evening | the light of the router is orange | set up the voicemail | my data volume is used up | take my number to another provider | activate an eSIM | fibre or cable for the new flat | the landline is dead | calls abroad and roaming | channels are missing on the television | weak signal in the cellar | the technician did not come',
    'インターネットにつながらない | 通信速度が遅い | ルーターの設定 | 携帯電話の料金プラン | 圏外になる',
  ),
  topic(
    'employees',
    'how many days of holiday do I have left | my pay slip has the wrong tax class | parental leave | refer a friend for a position | whom do I send a sick note | overtime and how it is paid | when is the salary paid | the first week of a new colleague | questions for a candidate | working from home | a bonus at the end of the year | a certificate of employment',
    '有給休暇の残り | 給与明細の見方 | 採用面接の日程 | 育児休業 | 残業の申請',
  ),
  topic(
    'philosophy and religion',
    'What is justice? | Plato and Aristotle | Is there a god? | arguments about free will and morality | what do Buddhists believe | meaning of life | what is truth | is it wrong to lie | Kant, Nietzsche and ethics | the Bible and the Koran | do we have a soul | stoicism | what happens after death | the trolley problem',
    '正義とは何か | 哲学者の考え | 仏教とキリスト教の違い | 人生の意味 | 神は存在するか | 倫理とは',
  ),
  topic(
    'psychology and relationships',
    'How do I deal with stress? | my partner does not listen to me | why do people procrastinate | I feel lonely lately | raising teenagers | memory and learning | my boyfriend left me | how do I make new friends | I am afraid of flying | my brother is angry with me | how do I stop worrying | I had a bad day | I am sad and do not know why | my friend ignores me | quarrel with my mother | how do I stop being jealous | I cannot decide | how do I become more confident | break a bad habit | I am nervous before talks',
    '人間関係の悩み | ストレスの対処法 | 子育ての相談 | やる気が出ない | 友達とけんかした | 落ち込んでいます | 自信を持ちたい',
  ),
  topic(
    'creative writing',
    'Write a poem about spring | Tell me a story about a knight | lyrics for a love song | a short play with two characters | haiku about the moon | invent a character for a novel | funny rhyme for a child | a ghost story with a surprising end | a sonnet about autumn | a fairy tale for my daughter | a song about leaving | a joke poem about a dog | dialogue between two old friends | slogan for a bakery | a limerick about a lazy king | opening line of a thriller | title for my novel | rap about homework | a fable with a fox | continue this story | describe a storm in a forest | a love poem | short scene in a café | a bedtime story',
    '詩を書いてください | 物語を作って | 俳句を詠んで | 小説の登場人物 | 歌詞を考えて | 怪談を書いて | 短編小説の書き出し | キャッチコピーを考えて | 川柳',
  ),
  topic(
    'letters and texts',
    'Write an e-mail to a customer | improve the style of this text | cover letter for a job application | a speech for a birthday | correct my grammar | rewrite this politely | an invitation, a thank-you note, a blog post | make this message sound friendlier | a eulogy for my uncle | write a complaint to the hotel | congratulate a colleague on her wedding | a post for our web site | say it shorter and more formal | proofread my essay | a letter of recommendation | reply to this invitation | make this sound more polite | fix my resume | shorten this paragraph | a wedding toast | condolence card | birthday wishes for a friend | find the mistakes in this sentence | a headline for my article | farewell message to colleagues | write a product description | e-mail to my professor to ask for more time | letter of resignation | draft an answer to this customer | polish my CV and application letter | put this in simpler words | make this text longer',
    'お礼の手紙を書いて | メールの文面 | この文を添削してください | スピーチの原稿 | 丁寧な言い方に直して | 誕生日のメッセージ | 退職の挨拶 | もっと丁寧な文にして | 自己紹介文を書いて | 招待状の文章',
  ),
  topic(
    'summaries and documents',
    'Summarise this article | extract the names from the text | What are the main points of this report? | make a table from this list | answer the question using the context | what is the plot of this novel | key takeaways of the meeting | shorten this to three sentences',
    'この文章を要約してください | 要点をまとめて | 表にしてください',
  ),
  topic(
    'languages',
    'Translate this into Spanish | How do you say thank you in French? | what does this word mean | difference between who and whom | learn German vocabulary | synonyms for happy | how do you say water in Italian | what does this proverb mean | conjugate the verb to go | how is this pronounced | origin of the word | what does this idiom mean | French verbs in the past tense | is it lay or lie | how do I spell | plural of mouse | how do Germans greet each other | pronounce this name | learn Japanese characters',
    '英語に翻訳してください | この単語の意味は | 日本語でどう言いますか | 英語で何と言う | 敬語の使い方 | 漢字の読み方',
  ),
  topic(
    'cooking',
    'recipe for tomato soup | how do I bake bread | What can I cook with potatoes and cheese? | how long do noodles take | cooking, baking, ingredients, spices | my sauce is too thin | a dessert for six people | marinade for chicken | my cake does not rise | can I freeze cooked meat | what can replace butter | how long does chicken have to fry | spaghetti with tomatoes | a side dish for fish | pizza dough | pancakes without milk | vegetarian dishes for guests | how do I cook lentils | the dough is sticky | breakfast with oats | season a soup | pasta, curry, salad, stew, casserole | what can I make with leftovers | boil an egg | how long do I cook rice | a quick dinner | roast beef stays juicy | the dough does not rise | substitute for cream | soup for a cold day | grill fish | fry onions | how do I store fresh herbs | jam from strawberries | a salad dressing | bake a cake without eggs | cut vegetables for a wok',
    'スープのレシピ | パンの焼き方 | じゃがいもを使った料理 | 夕食の献立 | 調理のコツ、食材 | お菓子の作り方 | 残り物で作れる料理 | カレーの作り方 | 卵の茹で方 | 魚の焼き方 | お弁当のおかず | ケーキを焼きたい',
  ),
  topic(
    'travel',
    'What can I see in Paris in two days? | book a flight to Madrid | hotels near the beach | do I need a visa for China | train from London to Edinburgh | travel tips, sights, luggage | family holiday by the sea | a week in Japan, what should we see | how do I get from the airport to the city | best month for a trip to Greece | is it safe to walk there at night | hand luggage, liquids | cheap flights to New York | hostel in Amsterdam | a route for a road trip | ferry to the island | is this city worth a weekend | what should I pack for a week in Norway | cheapest way to get to Rome | how early must I be at the airport | sightseeing with children | missed my connecting flight | camping in the mountains | cruise in the Mediterranean | which district should I stay in | beaches in Portugal | hiking trail in the Alps | rent a car on holiday',
    'パリの観光地 | 旅行の計画 | ホテルを予約したい | 電車での行き方 | 温泉旅館のおすすめ | 二日間の観光コース | 京都でおすすめの場所 | 空港までの行き方 | 海外旅行の持ち物 | 飛行機の予約',
  ),
  topic(
    'restaurants and shopping',
    'find a good sushi place nearby | reserve a table for four | where can I buy cheap furniture | track my parcel | a gift for my wife | which washing machine is good | return an online order | where do I get a good coffee | which laptop for a student | a present for my father | where do they sell good cheese | is this coat available in another size | cancel my order | a bar with live music | compare two vacuum cleaners',
    'おいしいレストラン | 予約をお願いします | プレゼントのおすすめ | 荷物が届かない | 近くのカフェ | 返品したい',
  ),
  topic(
    'house and garden',
    'how do I unclog a drain | stain on my shirt | paint a wooden fence | when do I plant tomatoes | the heating does not work | tidy up the kitchen | get rid of mice | get a stain out of the sofa | the washing machine smells | how do I hang a picture | mow the lawn | ants in the kitchen | bleed a radiator | the tap drips | red wine on the carpet | mould on the bathroom wall | which paint for a damp room | brown spots on the leaves of my tomatoes | when do I cut roses | clean the oven | the door squeaks | fleas, moths, wasps in the house | remove limescale | lay a wooden floor | the fridge is loud | water house plants',
    '掃除のコツ | 洗濯物の汚れ | 庭の手入れ | 水漏れの修理 | 植物の育て方 | 洗濯物の臭い | カビの取り方 | 花の育て方 | 蛇口の修理',
  ),
  topic(
    'cars and traffic',
    'my car does not start | change a flat tyre | how often does oil need changing | is there a traffic jam on the motorway | next bus to the station | the engine warning light is on | how do I jump-start a car | which tyres in winter | driving test | the brakes squeak | how do I park backwards | electric car or petrol | my bicycle chain is loose | the battery of the car is flat | train is delayed',
    '車の修理 | 渋滞の情報 | 次の電車は何時 | タイヤの交換 | 電車の遅れ',
  ),
  topic(
    'pets and children',
    'my dog eats grass | training a puppy | the cat does not use its box | games for a children’s party | baby does not sleep | the cat vomits | my dog is ill, take it to the vet | rabbit does not eat | name for a kitten | how much should a hamster eat | my son does not want to go to school | a birthday party for a six-year-old | my cat is sick | the dog barks all night | teach a dog to sit | food for a kitten | fleas on my dog | the bird has lost its feathers | clean an aquarium | the toddler refuses to eat | when do babies walk | how do I explain death to a child',
    '犬のしつけ | 猫が餌を食べない | 赤ちゃんが寝ない | 犬が吠える | 子供が学校に行きたがらない | 猫の病気',
  ),
  topic(
    'assistant and reminders',
    'set an alarm for seven | remind me to buy milk | what time is it in Tokyo | turn off the lights | add eggs to my shopping list | what is on my calendar today | play some music | timer for five minutes | wake me at six | what day is it | call my mother | volume up | how many minutes until noon | cancel my appointment | remind me to call mum at six | send a message to Peter | how long until Christmas | start a stopwatch | open the garage door | what is the date next Friday | delete the alarm | move the meeting to Tuesday',
    'アラームをセットして | 予定を教えて | リマインダー | 電気を消して | メールを送って | タイマーを三分 | 明日の会議は何時',
  ),
  topic(
    'weather',
    'will it rain tomorrow | temperature in Berlin | weather forecast for Sunday | does it snow at the weekend | how hot will it get | do I need an umbrella | will there be frost | is it windy | sunny at the weekend',
    '今日の天気 | 明日は雨ですか | 台風はいつ来る | 傘は必要',
  ),
  topic(
    'small talk',
    'hello | good morning, how are you | what is your name | thanks, bye | tell me something funny | do you like me | are you a robot | I am bored | what is your favourite colour | let us talk | make me laugh | do you have feelings | tell me a joke | how old are you | I like you | can you help me | good night | what can you do | nice to meet you',
    'おはようございます | 元気ですか | あなたは誰 | 疲れました | 冗談を言って | おやすみ | 寂しい',
  ),
  topic(
    'films, music and books',
    'a good series to watch | who directed this film | songs by the Beatles | best novel of the year | which actor played Batman | concert tickets | films like Star Wars | who painted this picture | a museum with modern art | who wrote the novel | what is this series about | best album of the nineties | who sang this | a film like Gladiator | who plays the main part | a series for a rainy evening | recommend a podcast | lyrics meaning of this song | Oscar winners | what should I read next | famous painters | a concert in Vienna',
    '好きな映画 | この曲の歌手は | 面白い本を教えて | おすすめのドラマ | 映画の結末 | 作家の代表作',
  ),
  topic(
    'sport and games',
    'who won the match yesterday | rules of tennis | chess opening for beginners | world cup final | how do I beat this level in the game | who is the best goal scorer | how long is a marathon | which team became champion | rules of poker | a board game for four | who won the world cup | offside rule | fastest runner | training of a football team | solve a cube | card games for two | Olympic medals',
    '野球のルール | 昨日の試合の結果 | ゲームの攻略 | オリンピックの金メダル | サッカーのルール | 将棋の定跡',
  ),
  topic(
    'riddles and logic',
    'What has keys but cannot open locks? | If all cats are animals, is Tom an animal? | find the odd one out | a puzzle with three doors | three people, two boats, who goes first | what am I',
    'なぞなぞを出して | 論理パズル',
  ),
  topic(
    'work and school',
    'prepare for a job interview | how do I ask for a raise | learn for an exam | choose a university | homework about the water cycle | improve my curriculum vitae | what do I wear on my first day | write an application, work experience | how do I talk to my boss | how long should a presentation be | which subjects should I study',
    '面接の準備 | 勉強の方法 | 転職したい',
  ),
];

/** Turns that continue any conversation and are about nothing by themselves. */
export const CONTINUATIONS: readonly string[] = [
  'yes please | no | ok | thank you very much | please continue | tell me more | can you repeat that? | what do you mean? | explain it in more detail | make it longer | a bit simpler, please | give me another example | the first one | the third one | number two | the last one, please | option two | both of them | not that one, the other | I do not understand the second part | is that correct? | that is wrong | try again | do it differently | what else? | how so? | perfect, go ahead | and then? | undo that | shorter and in bullet points',
  'ええ、お願いします | いいえ | 分かりました | もう少し詳しく | もっと簡単に | 一つ目のほう | 二つ目 | 最後のもの | ほかには？ | どういう意味ですか | やり直してください | それは違います | 長くしてください | もう一度お願いします | 例をください | そうですか',
  'ja bitte | nein danke | mach weiter | erzähl mir mehr | was meinst du damit? | das erste | das dritte | das letzte | beide | noch ein Beispiel | ausführlicher bitte | das stimmt nicht | versuch es noch einmal | und danach? | das verstehe ich nicht | geht das einfacher?',
  'oui merci | non | vas-y | dis-m’en plus | que veux-tu dire ? | le premier | le troisième | les deux | un autre exemple | plus en détail | c’est faux | recommence | et ensuite ? | je ne comprends pas cette partie | plus simplement',
  'sí, por favor | no, gracias | sigue | cuéntame más | ¿qué quieres decir? | el primero | el tercero | los dos | otro ejemplo | más corto | no entiendo | inténtalo de nuevo | ¿y después?',
].flatMap((list) => list.split(' | '));
