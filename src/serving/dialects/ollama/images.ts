/** Ollama's pictures: bytes in base64, which do not say what they are. */
import type { ImagePart } from '../ask.ts';
import { invalid } from '../json.ts';

/** Beginnings of files, in base64 → their type. */
const SIGNS: readonly (readonly [beginning: string, type: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** @throws RouterError `invalid_body` */
export function imagesIn(images: unknown, at: string): readonly ImagePart[] {
  if (images === undefined || images === null) return [];
  if (!Array.isArray(images)) throw invalid(at, 'must be a list of pictures in base64');
  return images.map((image: unknown, index) => {
    const here = `${at}[${index}]`;
    if (typeof image !== 'string' || image === '') throw invalid(here, 'must be a picture in base64');
    const type = SIGNS.find(([beginning]) => image.startsWith(beginning))?.[1];
    if (type === undefined) throw invalid(here, 'must be a PNG, JPEG, GIF or WebP picture in base64');
    return { type: 'image', url: `data:${type};base64,${image}`, at: here, urlAt: here };
  });
}
