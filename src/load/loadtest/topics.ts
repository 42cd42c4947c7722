/**
 * Words for generated prompts: eight topics that a router can distinguish, and repeatable blocks of text. A word is a
 * token.
 */
import { type Random, seededRandom } from '../../core/random.ts';

const TOPICS: readonly (readonly string[])[] = [
  'function array loop compile python javascript variable class method bug exception recursion string integer parse'.split(
    ' ',
  ),
  'theorem proof integral equation matrix prime polynomial derivative probability vector geometry algebra limit sum root'.split(
    ' ',
  ),
  'patient symptom fever diagnosis therapy medicine blood heart infection doctor vaccine dose kidney surgery pain'.split(
    ' ',
  ),
  'contract court law tenant clause liability judge appeal statute plaintiff licence evidence trial lawyer property'.split(
    ' ',
  ),
  'recipe butter flour oven garlic onion simmer sauce bake salt dough chicken pepper lemon stir'.split(' '),
  'emperor war treaty century revolution kingdom dynasty empire battle parliament colony king ancient soldier archive'.split(
    ' ',
  ),
  'story poem dragon moonlight whisper lonely hero castle dream silence verse shadow winter lantern river'.split(
    ' ',
  ),
  'market profit invoice customer strategy revenue brand budget investor price sales tax bank startup stock'.split(
    ' ',
  ),
];

export const TOPIC_COUNT = TOPICS.length;

/** The given number of words on a topic, each followed by a space. */
export function topicText(topic: number, words: number, random: Random): string {
  const vocabulary = TOPICS[topic % TOPICS.length]!;
  let text = '';
  for (let i = 0; i < words; i += 1) text += `${vocabulary[random.below(vocabulary.length)]} `;
  return text;
}

/** The text of a prefix id, always the same for the same id. */
export function wordsOfBlock(id: number, words: number): string {
  return topicText(id, words, seededRandom(id));
}
