/** What a mail has around what its writer says: the mails that it answers, a greeting, and a signature. */

/** Lines that begin the mail before, as programs for mail write them. */
const BEFORE: readonly RegExp[] = [
  /^-{2,}\s{0,3}(?:original message|forwarded message|ursprüngliche nachricht|message d['’]origine|元のメッセージ)/i,
  /^(?:on|am|le) .{6,120}\b(?:wrote|schrieb.{0,80}|a écrit)\s?:$/i,
  /^\d{4}年\d{1,2}月\d{1,2}日.{0,120}[:：]$/,
];

/** The shortest line that one of them matches, `2026年1月1日:`. */
const SHORTEST_BEFORE = 10;

const GREETING =
  /^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:morgen|tag)|bonjour|cher|chère)\b[^?!.]{0,40}[,!]$/i;

const SIGN_OFF =
  /^(?:(?:best|kind|warm|many)(?: (?:regards|wishes|thanks))?|regards|cheers|sincerely|yours|thanks|thank you|thx|(?:viele|liebe|beste) grüße|mit freundlichen grüßen|lg|mfg|cordialement|bien à vous|よろしくお願いします|以上)[,.!。]?$/i;

/** Lines of a signature after its sign-off. */
const SIGNATURE = 4;
const LONGEST_OF_SIGNATURE = 60;

/** Null for a text that is no mail. `quoted` is what it answers. */
export function mailIn(text: string): { readonly said: string; readonly quoted: string } | null {
  if (!text.includes('\n')) return null;
  const lines = text.split('\n');
  const before = lines.findIndex((line) => line.length >= SHORTEST_BEFORE && isBefore(line.trim()));
  const own = before < 0 ? lines : lines.slice(0, before);
  const from = own.findIndex((line) => line.trim() !== '');
  if (from < 0) return null;
  const begin = GREETING.test(own[from]!.trim()) ? from + 1 : from;
  const end = endOf(own);
  if (before < 0 && end === own.length) return null;
  const said = own.slice(begin, end).join('\n').trim();
  return said === '' ? null : { said, quoted: before < 0 ? '' : lines.slice(before).join('\n') };
}

function isBefore(line: string): boolean {
  return BEFORE.some((one) => one.test(line));
}

/** Where the signature begins; the end where there is none. */
function endOf(lines: readonly string[]): number {
  const last = lines.findLastIndex((line) => line.trim() !== '');
  for (let at = last; at >= 0 && at >= last - SIGNATURE; at -= 1) {
    const line = lines[at]!.trim();
    if (SIGN_OFF.test(line)) return at;
    if (line.length > LONGEST_OF_SIGNATURE) break;
  }
  return lines.length;
}
