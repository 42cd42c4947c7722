import { describe, expect, it } from 'vitest';
import { hasToWait } from './routes.ts';

describe('hasToWait', () => {
  it.each([
    ['GET', '/health'],
    ['GET', '/metrics'],
    ['POST', '/v1/experts/code/drain'],
    ['POST', '/v1/experts/a%2Fb/resume'],
    ['POST', '/v1/reload'],
    ['POST', '/v1/reload?now'],
    ['POST', '/v1/retraining'],
    ['POST', '/v1/shadow/apply'],
    ['POST', '/ui/api/login'],
    ['POST', '/ui/api/shadow'],
    ['POST', '/ui/api/drain/code'],
    ['POST', '/ui/api/resume/code'],
    ['POST', '/ui/api/reload'],
  ])('%s %s is served at once', (method, target) => {
    expect(hasToWait(method, target)).toBe(false);
  });

  it.each([
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/route'],
    ['POST', '/ui/api/ask'],
    ['POST', '/ui/api/ask?/v1/reload'],
    ['POST', '/ui/api/drain'],
    ['POST', '/v1/experts/drain'],
    ['POST', undefined],
  ])('%s %s waits its turn', (method, target) => {
    expect(hasToWait(method, target)).toBe(true);
  });
});
