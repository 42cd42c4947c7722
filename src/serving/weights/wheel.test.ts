/** Both forms in which package indexes list their files. */
import { expect, it } from 'vitest';
import { linkInHtml, linkInJson } from './wheel.ts';

it('finds a wheel in JSON and in HTML, and nothing where there is nothing', () => {
  const json = {
    files: [
      { filename: 'a-1.tar.gz', url: 'x' },
      { filename: 'a-1.whl', url: '/f/a-1.whl' },
    ],
  };
  expect(linkInJson(json, 'a-1.whl')).toBe('/f/a-1.whl');
  expect(linkInJson({ message: 'no such project' }, 'a-1.whl')).toBeUndefined();
  const html =
    '<a href="../f/a-1.tar.gz">s</a> <a data-x="1" href="../f/a-1.whl?a=1&amp;b=2#sha256=00">w</a>';
  expect(linkInHtml(html, 'a-1.whl')).toBe('../f/a-1.whl?a=1&b=2#sha256=00');
  expect(linkInHtml(html, 'b-1.whl')).toBeUndefined();
});
