/**
 * Finds in a user turn what the person asked, and what is quoted beside it: code, logs, passages, and what programs
 * insert. Time is linear in the text, of which long ones are read at both ends.
 */
import { LIMITS } from '../../core/bounds.ts';
import {
  ANSWERED,
  COURTESY,
  DELIMITED,
  DELIMITERS,
  FILE_TURNS,
  INSERTED,
  LABEL,
  LEAD_IN,
  PROGRAM_LINES,
  PROGRAM_PROMPTS,
  SETTINGS,
  SIDE_PROMPTS,
  SIDE_REQUESTS,
  WRAPPED,
  WRAPPED_LAST,
} from './harness.ts';
import { mailIn } from './mail.ts';

export interface PersonsWords {
  /** What the person asked; the whole turn where nothing tells its parts apart. */
  readonly asked: string;
  /** The rest; empty for none. */
  readonly quoted: string;
}

/** A turn up to this length is asked as a whole, once quotations are taken out. */
const SHORT = 400;
/** Characters that must be left behind a lead-in. */
const SHORTEST_QUESTION = 8;
/** Blocks of one kind that are taken out: each costs a copy of the text. */
const MOST_BLOCKS = 50;
/** Units read at either end of a longer text. */
const END: number = LIMITS.turnUnits;

/** What is read of a turn: both ends of a long one. */
export function bothEnds(turn: string): string {
  return turn.length > 2 * END + 1 ? `${turn.slice(0, END)}\n${turn.slice(-END)}` : turn;
}

export function personsWords(turn: string): PersonsWords {
  const text = bothEnds(turn);
  const quoted: string[] = [];
  const inserted = sideRequest(unwrapped(withoutBlocks(text, quoted), quoted));
  const inner = answeredPart(withoutSections(inserted, quoted), quoted);
  const prose = withoutQuotedLines(written(delimited(inner, quoted), quoted), quoted);
  if (prose.trim() === '') return { asked: inner.trim() === '' ? turn : inner.trim(), quoted: '' };
  const asked = questionsIn(prose.trim(), quoted);
  return { asked, quoted: quoted.join('\n').trim() };
}

/** Whether a system prompt is that of a program known to say nothing of what is asked. */
export function isProgramPrompt(system: string): boolean {
  const beginning = system.slice(0, 1_000);
  return PROGRAM_PROMPTS.some((one) => beginning.includes(one));
}

/** Whether a program asks about a conversation, for a title, tags or a summary, instead of a person in it. */
export function isSideRequest(system: string, turn: string): boolean {
  const [rules, begun] = [system.slice(0, 1_000), turn.trimStart()];
  return (
    SIDE_PROMPTS.some((one) => rules.includes(one)) ||
    SIDE_REQUESTS.some(({ begins }) => begun.startsWith(begins))
  );
}

/** Whether a user turn only hands over files. */
export function isFileTurn(turn: string): boolean {
  return FILE_TURNS.some((one) => turn.startsWith(one));
}

function withoutBlocks(text: string, quoted: string[]): string {
  if (!text.includes('<') && !text.includes('```')) return text;
  let rest = text;
  for (const [open, close] of [...INSERTED, ['```', '```']] as const) {
    let found = 0;
    for (let from = rest.indexOf(open); from >= 0 && found < MOST_BLOCKS; from = rest.indexOf(open, from)) {
      found += 1;
      const end = rest.indexOf(close, from + open.length);
      const to = end < 0 ? rest.length : end + close.length;
      const block = rest.slice(from, to);
      if (!SETTINGS.test(open)) quoted.push(block);
      rest = `${rest.slice(0, from)}\n${rest.slice(to)}`;
    }
  }
  return rest.trim() === '' ? text : rest;
}

/** What opens at the beginning of a line with a tag of any name and ends a line with the closing one. */
const SECTION = /^<([a-z_][\w-]{0,40})(?: [^>\n]{0,200})?>/gim;

/** Sections in tags beside which something is said: context, whatever their names. */
function withoutSections(text: string, quoted: string[]): string {
  if (!text.includes('</')) return text;
  const kept: string[] = [];
  const sections: string[] = [];
  let from = 0;
  for (const { 0: open, 1: name, index } of text.matchAll(SECTION)) {
    if (index < from) continue;
    const close = `</${name}>`;
    const end = text.indexOf(close, index + open.length);
    const to = end + close.length;
    if (end < 0 || (to < text.length && text[to] !== '\n')) continue;
    if (sections.length === MOST_BLOCKS) break;
    kept.push(text.slice(from, index));
    sections.push(text.slice(index, to));
    from = to;
  }
  const rest = [...kept, text.slice(from)].join('\n');
  if (sections.length === 0 || rest.trim().length < SHORTEST_QUESTION) return text;
  quoted.push(...sections);
  return rest;
}

function unwrapped(text: string, quoted: string[]): string {
  if (!text.includes('<')) return text;
  for (const [open, close] of WRAPPED) {
    const from = text.lastIndexOf(open);
    if (from < 0) continue;
    const end = text.indexOf(close, from);
    if (end < 0) continue;
    quoted.push(text.slice(0, from), text.slice(end + close.length));
    return text.slice(from + open.length, end);
  }
  return unwrappedLast(text, quoted);
}

/** What stands in a section of its own, in lines between its tags, with which the turn ends. */
function unwrappedLast(text: string, quoted: string[]): string {
  const end = text.trimEnd();
  const close = end.lastIndexOf('\n</');
  const name = WRAPPED_LAST.exec(end.slice(close + 3, close + 3 + LONGEST_TAG))?.[1];
  if (close < 0 || name === undefined) return text;
  const open = `<${name}>\n`;
  const from = end.startsWith(open) ? 0 : end.indexOf(`\n${open}`) + 1;
  if (from === 0 && !end.startsWith(open)) return text;
  if (from + open.length > close) return text;
  quoted.push(end.slice(0, from));
  return end.slice(from + open.length, close);
}

const LONGEST_TAG = 40;

/** What stands between the marks of which the words before it speak. */
function delimited(text: string, quoted: string[]): string {
  const end = text.trimEnd();
  const mark = DELIMITERS.find((one) => end.endsWith(one));
  if (mark === undefined) return text;
  const from = end.lastIndexOf(mark, end.length - mark.length - 1);
  const rules = end.slice(0, Math.max(0, from));
  if (!DELIMITED.test(rules)) return text;
  quoted.push(rules);
  return end.slice(from + mark.length, end.length - mark.length);
}

/** What the writer of a mail says. */
function written(text: string, quoted: string[]): string {
  const mail = mailIn(text);
  if (mail === null) return text;
  quoted.push(mail.quoted);
  return mail.said;
}

/** The last person's turn of the conversation that a title or tags are asked for. */
function sideRequest(text: string): string {
  const begun = text.trimStart();
  const known = SIDE_REQUESTS.find(({ begins }) => begun.startsWith(begins));
  if (!known?.turn) return text;
  const [open, close] = known.turn;
  const from = begun.lastIndexOf(open);
  if (from < 0) return text;
  const end = begun.indexOf(close, from);
  return begun.slice(from + open.length, end < 0 ? undefined : end).replaceAll('</chat_history>', '');
}

function answeredPart(text: string, quoted: string[]): string {
  const end = text.trimEnd();
  for (const [open, close] of ANSWERED) {
    if (!end.endsWith(close)) continue;
    const from = end.lastIndexOf(open);
    if (from < 0 || (from > 0 && end[from - 1] !== '\n')) continue;
    quoted.push(end.slice(0, from));
    return end.slice(from + open.length, end.length - close.length);
  }
  // Labels stand at the beginning of lines, behind others.
  return end.includes('\n') ? labelledPart(lastOfPairs(end, quoted), quoted) : end;
}

const LABELLED = /^([^\s:：][^\n:：]{0,30}[:：])/gm;

/** The last of some examples, each with two labels: its second one ends the turn. */
function lastOfPairs(text: string, quoted: string[]): string {
  if (!text.endsWith(':') && !text.endsWith('：')) return text;
  const labels = [...text.matchAll(LABELLED)];
  const [last, open] = [labels.at(-1), labels.at(-2)];
  if (last === undefined || open === undefined || last.index + last[0].length < text.length) return text;
  const before = labels.slice(0, -2).map(([, label]) => label);
  if (!before.includes(last[1]) || !before.includes(open[1])) return text;
  quoted.push(text.slice(0, open.index));
  return text.slice(open.index + open[0].length, last.index);
}

/** From a label for the person's words, behind other paragraphs, to the next empty line. */
function labelledPart(text: string, quoted: string[]): string {
  const last = [...text.matchAll(LABEL)].at(-1);
  if (last === undefined || text.slice(0, last.index).trim() === '') return text;
  const from = last.index + last[0].length;
  const rest = text.indexOf('\n\n', from + text.slice(from).search(/\S/));
  const said = text.slice(from, rest < 0 ? undefined : rest);
  if (said.trim().length < SHORTEST_QUESTION) return text;
  quoted.push(text.slice(0, last.index), rest < 0 ? '' : text.slice(rest));
  return said;
}

/** A line as programs write them: quoted, a time stamp, a stack frame, or a name of the table. */
const QUOTED_LINE = /^(?:>|\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\s+at \S)/;

/** A tool's result goes on to the next empty line. */
function withoutQuotedLines(text: string, quoted: string[]): string {
  if (!text.includes('\n') && !isProgramLine(text) && !QUOTED_LINE.test(text)) return text;
  let inResult = false;
  return text
    .split('\n')
    .filter((line) => {
      if (isProgramLine(line)) inResult = true;
      else if (line.trim() === '') inResult = false;
      if (!inResult && !QUOTED_LINE.test(line)) return true;
      quoted.push(line);
      return false;
    })
    .join('\n');
}

function isProgramLine(line: string): boolean {
  return PROGRAM_LINES.some((one) => line.startsWith(one));
}

/** Ends of sentences; a line break ends one too. */
const SENTENCE = /[^.!?。！？\n]+[.!?。！？]*/gu;
/** A sentence that asks or tells to do something, in a few languages. */
const ASKS =
  /[?？]\s*$|(?:ください|下さい|教えて|お願いします|でしょうか|ですか|ほしい|たいです)[。．]?\s*$|^\s*(?:please|can you|could you|would you|write|make|give|tell|explain|show|list|find|fix|translate|summari[sz]e|describe|help|create|draft|solve|compute|calculate|prove|compare|how|what|why|which|who|when|where|is|are|do|does|should|i (?:want|need|would like)|bitte|schreib|erklär|wie|was|warum|welche|écris|explique|comment|pourquoi|quel)\b/iu;
/** A sentence about the form of the answer. */
const FORM =
  /\b(?:JSON|XML|YAML|markdown)\b|<\w{1,20}> tags?\b|^\s*(?:please )?(?:(?:answer|reply|respond)\b[^:：?？]{0,80}|(?:do not|don['’]t|no need to) (?:explain|elaborate|add|include|repeat)\b[^:：?？]{0,80}|keep (?:it|the answer|your answer)\b[^:：?？]{0,80})[.!]?\s*$/i;
/** A sentence about how the answer is judged, or about the rules of it. */
const RUBRIC =
  /^\s*(?:you(?:['’]re| are| will be)|your (?:answers?|reply|response) (?:is|are|will be)) (?:graded|scored|judged|rated|evaluated|assessed)\b[^?？]{0,120}$|^\s*(?:\w+ )?(?:answers|replies|responses)\b[^?？]{0,80}\b(?:points?|marks?|score|penal\w+)\b[^?？]{0,40}$|^\s*(?:please )?(?:do not|don['’]t|never) (?:mention|reveal|quote|disclose|refer to|discuss)\b[^:：?？]{0,40}\b(?:rubric|rules?|instructions?|guidelines?|criteria|prompt)\b[^?？]{0,40}$/i;

/** Whether a sentence asks, or tells to do something. */
export function asks(sentence: string): boolean {
  return ASKS.test(sentence);
}

/** Of a long text the sentences that ask, wherever they stand, if there are any and they are the smaller part. */
function questionsIn(prose: string, quoted: string[]): string {
  const sentences = prose.match(SENTENCE) ?? [];
  const plain = sentences.filter((one) => !FORM.test(one) && !RUBRIC.test(one) && !isCourtesy(one));
  const kept = plain.length > 0 ? plain : sentences;
  const whole = withoutLeadIn(kept.length === sentences.length ? prose : kept.join('').trim());
  if (whole.length <= SHORT) return whole;
  const asking = kept.filter(asks);
  const asked = asking.join('').trim();
  if (asked === '' || asked.length > whole.length / 2) return whole;
  quoted.push(kept.filter((one) => !asks(one)).join(''));
  return asked;
}

function isCourtesy(sentence: string): boolean {
  return COURTESY.test(sentence.trim());
}

/** "I was wondering whether you could help me with the following: …" */
function withoutLeadIn(text: string): string {
  if (!text.includes(':') && !text.includes('：')) return text;
  const rest = text.replace(LEAD_IN, '');
  return rest.length >= SHORTEST_QUESTION ? rest : text;
}
