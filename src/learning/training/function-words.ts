/**
 * Words of grammar, which may not stand in a cluster's name: in a few hundred prompts they cannot be told from the
 * topic by counting. For names alone; the vectors need no such list.
 */

const ENGLISH =
  'the and for are was were you your yours with that this these those have has had not but from they them their there here what when where which who whom whose why how can could should would will shall may might must does did done doing been being into onto over under about after before between because than then too very just only also any all some such each every both either neither one two out off its his her hers him she our ours use used using make makes made get gets got give gives given take takes please want wants need needs like let lets say says tell does doesn don didn isn wasn won can’t don’t i’m it’s if or nor yes no me my mine we us own same other another more most much many few less least up down again once while during write writes explain explains help show find describe create';
const GERMAN =
  'der die das den dem des ein eine einen einem einer und oder aber nicht ist sind war waren wie was wer wo warum welche welcher welches ich du er sie es wir ihr mein meine dein sein seine kann können muss müssen soll sollen wird werden hat haben mit von zu zum zur für auf aus bei nach über unter durch auch noch nur sehr mir mich dir dich bitte';
const FRENCH =
  'le la les un une des du de et ou mais pas est sont était que qui quoi quel quelle comment pourquoi où je tu il elle nous vous ils elles mon ma mes ton ta tes son sa ses peut puis dois avec pour par sur dans sans sous chez aux ce cet cette ces plus très aussi';
const SPANISH =
  'el los las uno unos unas del y pero no es son era qué quién cómo por para con sin sobre entre mi tu su más muy también puede debo cuál dónde cuándo este esta estos estas';

export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  [ENGLISH, GERMAN, FRENCH, SPANISH].flatMap((list) => list.split(' ')),
);
