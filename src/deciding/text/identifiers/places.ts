/** Postal addresses, by their cues: a kind of street, a postal code, a prefecture, 住所. */
import { type Recogniser, spansOf } from './span.ts';

const STREET =
  /(?<![\w.])\d{1,5}[A-Za-z]?,? (?:[A-Z][A-Za-z'’.-]{0,20} ){1,4}?(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Square|Boulevard|Blvd|Way|Place|Pl|Terrace|Close|Crescent|Gardens|Grove|Hill|Mews|Parkway|Row)(?![A-Za-z])\.?(?:,? (?:Apt|Apartment|Suite|Unit|Flat|Floor)\.? ?#?\w{1,5})?/g;
const POST_CODE_UK = /(?<![A-Za-z0-9])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?![A-Za-z0-9])/g;
const POST_CODE_US = /(?<![A-Za-z])[A-Z]{2} \d{5}(?:-\d{4})?(?!\d)/g;
const BOX = /(?<![A-Za-z])P\.? ?O\.? Box \d{1,6}/gi;
const CUED =
  /(?<![A-Za-z])(?:address|lives at|living at|resides at|residing at)[ ]?(?:is |: ?)?([A-Z0-9][^\n;。]{3,100})/gi;
const POST_CODE_JA = /〒 ?\d{3}-?\d{4}/g;
const CUED_JA = /(?:住所|所在地|居住地|お届け先)[ ]?[:は]?[ ]?([^\s。、:「」]{4,60})/g;
const PREFECTURES =
  '北海道|青森県|岩手県|宮城県|秋田県|山形県|福島県|茨城県|栃木県|群馬県|埼玉県|千葉県|東京都|神奈川県|新潟県|富山県|石川県|福井県|山梨県|長野県|岐阜県|静岡県|愛知県|三重県|滋賀県|京都府|大阪府|兵庫県|奈良県|和歌山県|鳥取県|島根県|岡山県|広島県|山口県|徳島県|香川県|愛媛県|高知県|福岡県|佐賀県|長崎県|熊本県|大分県|宮崎県|鹿児島県|沖縄県';
/** A prefecture and a town, and what stands behind them up to kana of the sentence. */
const PLACE_JA = new RegExp(
  `(?:${PREFECTURES})[\\p{Script=Han}ヶケ々]{1,8}[市区町村郡](?:[\\p{Script=Han}\\p{Script=Katakana}ー々]{0,12}[\\d-]{1,12}(?:丁目|番地|番|号|の(?=\\d)){0,1}){0,4}`,
  'gu',
);

export const places: Recogniser = (text) => [
  ...spansOf('address', text, STREET),
  ...spansOf('address', text, POST_CODE_UK),
  ...spansOf('address', text, POST_CODE_US),
  ...spansOf('address', text, BOX),
  ...spansOf('address', text, CUED, (_, [, value]) => addressIn(value!)),
  ...spansOf('address', text, POST_CODE_JA),
  ...spansOf('address', text, CUED_JA, (_, [, value]) =>
    /[都道府県市区町村郡]/.test(value!) ? value! : null,
  ),
  ...spansOf('address', text, PLACE_JA),
];

/** Up to the end of its sentence; without a digit it is no address. */
function addressIn(value: string): string | null {
  const end = /\.(?: |$)/.exec(value);
  const sentence = end ? value.slice(0, end.index) : value;
  return /\d/.test(sentence) ? sentence : null;
}
