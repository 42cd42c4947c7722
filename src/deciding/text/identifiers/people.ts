/** Names of people, by the words that go with them, and wherever else in the text they stand. */
import { type Recogniser, type Span, spansOf } from './span.ts';

const PART = "[A-Z][A-Za-zÀ-ÿ'’-]{0,24}";
const INITIAL_OR_PART = `(?:[A-Z]\\.|${PART})`;
const NAME = `${INITIAL_OR_PART}(?: (?:(?:van|von|de|der|den|la|le|bin|al|da|di|del) ){0,2}${INITIAL_OR_PART}){0,3}`;

const TITLE = new RegExp(
  `(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Doctor|Sir|Dame|Rev|Nurse|Sgt|Capt)\\.? (${NAME})`,
  'g',
);
const FIELD = new RegExp(
  `(?<![A-Za-z])(?:(?:Full |First |Last |Family |Patient |Customer )?[Nn]ame|NAME|Patient|PATIENT|Pt|Customer|Client|Contact|Physician|Consultant|Provider|Surgeon|GP|Attn|From|To|Cc|Author|Signed|Next of kin|NOK|Mother|Father|Wife|Husband|Caller|Sender|Recipient)[ ]?: ?(${NAME})`,
  'g',
);
const CUE = new RegExp(
  `(?<![A-Za-z])(?:[Pp]atient|[Mm]y name is|[Nn]ame is|[Cc]ustomer|[Cc]lient|[Cc]olleague|[Cc]aregiver|[Cc]arer|[Nn]urse|[Cc]onsultant|[Ss]een by|[Ss]eeing|[Uu]ser|[Rr]eferred by|[Rr]eviewed by|[Ss]igned by|[Ss]poke (?:to|with)|[Dd]iscussed with|(?:[Hh]is|[Hh]er|[Mm]y|[Tt]heir) (?:wife|husband|partner|daughter|son|mother|father|sister|brother|boss|manager|neighbour|neighbor|friend)),? (${NAME})`,
  'g',
);
const SALUTATION = new RegExp(`(?<![A-Za-z])(?:Dear|Hi|Hello|Hey) (${NAME})(?=[,!.\\n]| -)`, 'g');
const SIGNATURE = new RegExp(
  `(?:[Rr]egards|[Ss]incerely|[Tt]hanks|[Tt]hank you|[Cc]heers|[Bb]est wishes|[Yy]ours),?\\n{1,2}(${NAME})(?=[\\n.,]|$)`,
  'g',
);

/** Begin with a capital where a name might stand, and are none. */
const NO_NAMES = new Set(
  (
    'The This That These Those It He She They We You I A An And But Or If In On At Is Are Was Were Has Have Had Will Would ' +
    'Can Could Should May Do Does Did Not No Yes All Any Some Each There Here Team Support Everyone World Folks Sir Madam History ' +
    'Presenting Complaint Denies Reports Presents Presented Complains States Admitted Discharged Seen Name Number Id ID ' +
    'Date Address Phone Email Portal Care Records Safety Education Satisfaction Experience Service Services Success Data ' +
    'Who What When Where Why How Please Thanks Thank Regards After Before Today Yesterday Tomorrow January February March ' +
    'April June July August September October November December Monday Tuesday Wednesday Thursday Friday Saturday Sunday ' +
    'DOB MRN NHS Age Sex Male Female Unknown None Subject Re Plan Diagnosis Medication Allergies'
  ).split(' '),
);

/** The beginning of a match up to the first word that is no name; null for none. */
function nameIn(match: string): string | null {
  let end = 0;
  for (const { 0: word, index } of match.matchAll(/[A-Za-zÀ-ÿ'’-]{1,40}/g)) {
    const base = word.replace(/['’]s$/, '');
    if (NO_NAMES.has(base)) break;
    end = index + base.length;
  }
  const name = match.slice(0, end);
  return name.length < 2 ? null : name;
}

const HAN = '\\p{Script=Han}々';
const KANA = 'ァ-ヶー';
const HONORIFIC = new RegExp(
  `(?<![${HAN}${KANA}])((?:[${HAN}]{1,8}|[${KANA}]{2,12}(?:・[${KANA}]{2,12})?)(?: [${HAN}${KANA}]{1,6})?)(?:様(?![子々式相態])|さん|さま(?!ざ)|氏(?![名族神])|ちゃん|くん|君(?![主臨が])|殿|先生|医師|看護師)`,
  'gu',
);
const FIELD_JA = new RegExp(
  `(?:氏名|お名前|名前|患者名|患者|担当者|担当医|主治医|署名|差出人|宛先|宛名|フリガナ|ふりがな|家族|保護者|連絡者)(?: ?: ?([${HAN}]{1,5}(?: [${HAN}]{1,4}|[ぁ-ん]{1,4})?|[${KANA}]{2,10}(?:[ ・][${KANA}]{2,10})?)|は、?([${HAN}]{1,5}(?: [${HAN}]{1,4})?|[${KANA}]{2,10}(?:[ ・][${KANA}]{2,10})?))`,
  'gu',
);
const INTRODUCED = new RegExp(
  `(?<![${HAN}${KANA}])([${HAN}]{1,6}(?: [${HAN}]{1,4})?|[${KANA}]{2,12})(?=と申します|といいます|と言います)`,
  'gu',
);
/** Stand before a name in one run of characters. */
const BEFORE_NAME =
  /^(?:患者|担当医|担当者|担当|主治医|顧客|会員|営業部?|総務部?|同僚|上司|部下|友人|隣人|長男|長女|次男|次女|夫|妻|母|父|兄|姉|弟|妹)/;
const NO_NAMES_JA =
  /^(?:客|皆|王|神|患者|奥|子|お子|娘|息子|母|父|兄|姉|弟|妹|祖母|祖父|叔父|叔母|医者|看護師|薬剤師|店員|店|彼|両|同|某|各位|仕|模|多|異|一|有|同僚|先輩|後輩|担当|担当医|担当者|主治|主治医|家族|業者|大家|社長|部長|課長|専門|内科|外科|小児科|産婦人科|精神科|皮膚科|整形外科|眼科|耳鼻科|歯科|当直|本人|名前|不明|何|誰|諸|研修|指導|家庭|勤務|開業|担任|校長|かかりつけ|男性|女性|訪問|認定|正|准)$/;

function nameInJa(match: string): string | null {
  const name = match.replace(BEFORE_NAME, '').trim();
  return name === '' || NO_NAMES_JA.test(match) || NO_NAMES_JA.test(name) ? null : name;
}

export const people: Recogniser = (text) => {
  const found = [
    ...[TITLE, FIELD, CUE, SALUTATION, SIGNATURE].flatMap((expression) =>
      spansOf('name', text, expression, (_, [, value]) => nameIn(value!)),
    ),
    ...[HONORIFIC, FIELD_JA, INTRODUCED].flatMap((expression) => japanese(text, expression)),
  ];
  return [...found, ...againIn(text, found)];
};

/** Where the name itself stands in the match, which an honorific or a prefix surrounds. */
function japanese(text: string, expression: RegExp): Span[] {
  return [...text.matchAll(expression)].flatMap(({ 0: match, 1: first, 2: second, index }) => {
    const value = first ?? second!;
    const name = nameInJa(value);
    if (name === null) return [];
    const start = index + match.lastIndexOf(value) + value.lastIndexOf(name);
    return [{ kind: 'name', start, end: start + name.length } as const];
  });
}

const WORD = /[A-Za-zÀ-ÿ'’-]{3,40}|[\p{Script=Han}々]{2,12}|[ァ-ヶー]{2,12}/gu;

/** The words of names that a cue gave away, wherever they stand: "Mr Baker" makes a name of every later "Baker". */
function againIn(text: string, names: readonly Span[]): Span[] {
  const known = new Set<string>();
  for (const { start, end } of names)
    for (const [word] of text.slice(start, end).matchAll(WORD)) known.add(word);
  if (known.size === 0) return [];
  return [...text.matchAll(WORD)].flatMap(({ 0: word, index }) => {
    const base = word.replace(/['’]s$/, '');
    return known.has(base) ? [{ kind: 'name', start: index, end: index + base.length } as const] : [];
  });
}
