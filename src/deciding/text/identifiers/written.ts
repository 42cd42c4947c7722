/** Identifiers known by their form: addresses of the network, numbers, dates, telephones. */
import { isCard, isIban, isMyNumber, isNhsNumber } from './checksums.ts';
import { type Recogniser, spansOf } from './span.ts';

const URL = /(?<![\w@])(?:https?:\/\/|ftp:\/\/|www\.)[^\s<>"'、。「」（）]{1,2000}/gi;
const EMAIL = /(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}/g;
const IP4 = /(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.]?\d)/g;
const IP6 = /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi;
const MAC = /(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])/gi;

export const network: Recogniser = (text) => [
  ...spansOf('url', text, URL, withoutPunctuation),
  ...spansOf('email', text, EMAIL, withoutPunctuation),
  ...spansOf('network', text, IP4, (match) =>
    match.split('.').every((one) => Number(one) < 256) ? match : null,
  ),
  ...spansOf('network', text, IP6, (match) => (isIp6(match) ? match : null)),
  ...spansOf('network', text, MAC),
];

/** Eight groups, or fewer with one gap; a digit, as `a::b` is a name in programs. */
function isIp6(match: string): boolean {
  const groups = match.split(':');
  return (
    /\d/.test(match) &&
    (match.includes('::') ? groups.length <= 8 : groups.length === 8 && !groups.includes(''))
  );
}

function withoutPunctuation(match: string): string {
  let end = match.length;
  while (end > 0 && '.,;:!?)]}'.includes(match[end - 1]!)) end -= 1;
  return match.slice(0, end);
}

const IBAN = /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;
const LONG_NUMBER = /(?<![\w.-])\d(?:[ -]?\d){9,18}(?![\w]|[.-]\d)/g;
const SOCIAL_SECURITY = /(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])/g;
const CUED_ID =
  /(?<![A-Za-z])(?:MRN|NHS|SSN|ID|NI|passport|licen[cs]e|record|chart|case|ticket|account|acct|policy|insurance|member|membership|customer|client|patient|order|invoice|booking|reference|ref|tracking|serial|employee|student)(?:[ -](?:number|no|id|num|code|ref))?\.?[ ]?[:#]?[ ]?#?(?=[A-Z0-9-]{0,20}\d)([A-Z0-9](?:[A-Z0-9]|[-/](?=[A-Z0-9])){3,24})(?![A-Za-z0-9])/gi;
const CUED_ID_JA =
  /(?:患者|診察券|カルテ|保険証|被保険者|記号|会員|口座|顧客|お客様|注文|受付|予約|伝票|追跡|社員|学籍|個人|マイナンバー|旅券|免許証?|契約|証券)(?:番号|ID|No\.?)?[ ]?[:は#]?[ ]?([A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){3,24})/gi;

export const numbers: Recogniser = (text) => [
  ...spansOf('id', text, IBAN, ibanIn),
  ...spansOf('id', text, LONG_NUMBER, (match) => (hasCheckDigit(match.replace(/[ -]/g, '')) ? match : null)),
  ...spansOf('id', text, SOCIAL_SECURITY),
  ...spansOf('id', text, CUED_ID, (_, [, value]) => numbered(value!)),
  ...spansOf('id', text, CUED_ID_JA, (_, [, value]) => numbered(value!)),
];

/** The longest beginning that is an IBAN: words in capitals may follow it. */
function ibanIn(match: string): string | null {
  const groups = match.split(' ');
  for (let count = groups.length; count > 0; count -= 1)
    if (isIban(groups.slice(0, count).join(''))) return groups.slice(0, count).join(' ');
  return null;
}

function hasCheckDigit(digits: string): boolean {
  return isCard(digits) || isNhsNumber(digits) || isMyNumber(digits);
}

/** At least three digits, and no year alone: "case 2024" is none. */
function numbered(value: string): string | null {
  const digits = value.replace(/\D/g, '').length;
  return digits < 3 || /^(?:19|20)\d\d$/.test(value) ? null : value;
}

const MONTH =
  'January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec';
const YEAR_FIRST = /(?<![\d.-])(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}(?!\d)/g;
const YEAR_LAST = /(?<![\d./-])\d{1,2}([-/.])\d{1,2}\1(?:(?:19|20)\d\d|\d\d)(?![\d]|[./-]\d)/g;
const DAY_MONTH = new RegExp(
  `(?<![\\w])\\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:${MONTH})(?![a-z])\\.?(?:,? (?:19|20)\\d\\d)?(?!\\d)`,
  'g',
);
const MONTH_DAY = new RegExp(
  `(?<![\\w])(?:${MONTH})\\.? (?:\\d{1,2}(?:st|nd|rd|th)?(?![\\d.:]\\d|\\d|%)(?:,? (?:19|20)\\d\\d)?|(?:19|20)\\d\\d)(?!\\d)`,
  'g',
);
const DATE_JA =
  /(?<!\d)(?:(?:(?:19|20)\d\d|(?:明治|大正|昭和|平成|令和)(?:\d{1,2}|元))年(?:\d{1,2}月(?:\d{1,2}日)?)?|\d{1,2}月\d{1,2}日)(?![間以])/g;

export const dates: Recogniser = (text) => [
  ...spansOf('date', text, YEAR_FIRST, (match) => (isDay(match, 1, 2) ? match : null)),
  ...spansOf('date', text, YEAR_LAST, (match) => (isDay(match, 1, 0) || isDay(match, 0, 1) ? match : null)),
  ...spansOf('date', text, DAY_MONTH),
  ...spansOf('date', text, MONTH_DAY),
  // A year alone is what programs and statutes have too.
  ...spansOf('date', text, DATE_JA, (match) => (/^\d{4}年$/.test(match) ? null : match)),
];

function isDay(match: string, monthAt: number, dayAt: number): boolean {
  const parts = match.split(/[-/.]/).map(Number);
  const [month, day] = [parts[monthAt]!, parts[dayAt]!];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

const PHONE =
  /(?<![\w.+-])(?:\+\d{1,3}[ .-]?)?(?:\(0?\d{1,5}\)[ -]?)?\d{1,11}(?:[ .-]\d{1,8}){0,5}(?![\w]|[.-]\d)/g;
const CUED_PHONE =
  /(?:(?<![A-Za-z])(?:phone|telephone|tel|mobile|cell|fax|call(?: (?:me|us|him|her|them))?(?: (?:on|at))?|text|ring|reach(?:ed)? (?:on|at)|extension|ext)\.?|電話番号|電話|携帯|TEL|FAX|連絡先|内線)(?: number)?[ ]?[:は]?[ ]?([+(]?\d(?:[ ().-]{0,2}\d){3,14})(?!\d)/gi;

export const telephones: Recogniser = (text) => [
  ...spansOf('phone', text, CUED_PHONE, (_, [, value]) => value!),
  ...spansOf('phone', text, PHONE, (match) => (isPhone(match) ? match : null)),
];

/** As numbers are written abroad (+), in most countries (0), and in North America (three, three, four). */
function isPhone(match: string): boolean {
  const digits = match.replace(/\D/g, '').length;
  if (match.startsWith('+')) return digits >= 8 && digits <= 15;
  if (/^(?:\(\d{3}\) ?\d{3}|\d{3}[ .-]\d{3})[ .-]\d{4}$/.test(match)) return true;
  return /^\(?0[1-9]/.test(match) && digits >= 9 && digits <= 12;
}
