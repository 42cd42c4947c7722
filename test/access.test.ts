/** How servers are asked: keys, headers and queries of the config, Azure's form, and what of an address is refused. */
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../src/serving/config/load.ts';
import { proxyFor } from '../src/serving/experts/access.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function asked(
  path: string,
  options: string,
  how: object = {},
): Promise<{ router: RunningGateway; expert: Upstream }> {
  const expert = await upstream(polite);
  const router = await gateway(
    `experts: [{ id: one, kind: openai, url: '${expert.url}${path}', dialect: plain${options} }]`, // the former name
    how,
  );
  opened.push(expert, router);
  const answer = await router.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] });
  expect(answer.status).toBe(200);
  return { router, expert };
}

const config = (options: string) =>
  parseConfig(`experts:\n  - { id: one, kind: openai, ${options} }\n`, 'c.yaml', {});

describe('an expert', () => {
  it('of Azure’s is asked at its deployment, with its version and its key in api-key', async () => {
    const { expert } = await asked(
      '/openai/deployments/gpt-4o?api-version=2024-10-21',
      ', api_key: k-1, auth: api-key, model: gpt-4o',
    );
    const { path, headers } = expert.requests[0]!;
    expect(path).toBe('/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21');
    expect(headers['api-key']).toBe('k-1');
    expect(headers.authorization).toBeUndefined();
  });

  it('gets the headers and the query of the config at every address, its list of models too', async () => {
    const options = ", headers: { x-org: o-1 }, query: { tier: 'a b' }, api_key: k-1";
    const { expert } = await asked('', options, { probes: true });
    for (const path of ['/v1/models', '/v1/chat/completions']) {
      const request = expert.requests.find((one) => one.path === `${path}?tier=a+b`);
      expect(request?.headers).toMatchObject({ 'x-org': 'o-1', authorization: 'Bearer k-1' });
    }
  });

  it('gets no key where it wants none', async () => {
    const { expert } = await asked('', ', api_key: k-1, auth: none');
    expect(JSON.stringify(expert.requests[0]!.headers)).not.toContain('k-1');
  });
});

describe('a config', () => {
  it.each([
    ['url: http://h:1/v1/chat/completions', /http:\/\/h:1\/v1, without '\/chat\/completions'/],
    ['url: http://h:1/v1/embeddings/', /without '\/embeddings\/'/],
    ['url: http://me:pw@h:1', /without credentials/],
    ['url: http://h:1/v1#x', /without '#x'/],
    ['url: [http://h:1, { url: http://h:1/v1/completions }]', /without '\/completions'/],
    ['url: http://h:1, api_key: "sk-1\\n"', /without a line end, which it has at character 5/],
    ['url: http://h:1, api_key: " sk-1"', /without white space, which it has at character 1/],
    ['url: http://h:1, api_key: “sk-1”', /without typographic quotes, which it has at character 1/],
    ['url: http://h:1, api_key: sk-é', /U\+00E9 at character 4/],
    ['url: http://h:1, headers: { content-length: "1" }', /the router sets this one/],
    ['url: http://h:1, headers: { x-a: "a\\nb" }', /printable ASCII/],
    ['url: http://h:1, auth: "Api Key"', /'bearer', 'none', or a header/],
  ])('with %s is refused with place and cure', (options, reason) => {
    expect(() => config(options)).toThrow(reason);
    expect(() => config(options)).toThrow(/c\.yaml:2:\d+/);
  });

  it('never shows the key that it refuses', () => {
    expect(() => config('url: http://h:1, api_key: “sk-secret”')).not.toThrow(/secret/);
  });

  it('may have bases of every usual form', () => {
    for (const url of [
      'http://h:1',
      'http://h:1/v1/',
      'https://h/openai/v1',
      'https://h/models',
      'https://h/a?b=c',
    ])
      expect(() => config(`url: '${url}'`)).not.toThrow();
  });
});

it('takes the proxy of the config, else that of the environment, unless the address is exempt', () => {
  const proxied = { HTTPS_PROXY: 'http://p:3128', no_proxy: 'example.com, .corp' };
  const of = (url: string, chosen?: string, environment: object = proxied) =>
    proxyFor(url, chosen, environment as Record<string, string>)?.host ?? null;
  expect(of('https://api.openai.com/v1')).toBe('p:3128');
  for (const url of ['https://a.example.com', 'https://gpu.corp', 'http://gpu1:8000', 'https://127.0.0.1:1'])
    expect(of(url)).toBeNull();
  expect(of('https://api.openai.com/v1', undefined, {})).toBeNull();
  expect(of('https://api.openai.com', 'none')).toBeNull();
  expect(of('https://a.example.com', 'http://q:1')).toBe('q:1');
  expect(of('http://gpu1', undefined, { http_proxy: 'q:81' })).toBe('q:81');
  for (const other of ['socks5://p:1', 'https://p:1', 'http://'])
    expect(() => of('https://a.b', undefined, { HTTPS_PROXY: other })).toThrow(/HTTPS_PROXY names no http/);
});
