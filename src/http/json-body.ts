import type { FastifyInstance } from 'fastify';
import { decodeUtf8 } from '../base/utf8.ts';
import type { Problem } from '../problems/problem.ts';
import { placeOfJsonError } from './json-error.ts';
import { invalidRequest } from './problems.ts';

/**
 * Takes JSON bodies only, so that a form of another site cannot post (415). An empty body that is announced as JSON
 * counts as no body: many clients send one on a `POST` without arguments.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error'); // `__proto__` and `constructor.prototype` are errors
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = decodeUtf8(body); // RFC 8259 §8.1
    if (text === '') done(null, undefined);
    else if (text === undefined) done(invalidRequest({ detail: 'The body is not UTF-8.' }));
    else parse(request, text, (error, value) => done(error && unsoundJson(text), value));
  });
}

function unsoundJson(text: string): Problem {
  const place = placeOfJsonError(text);
  if (place === undefined)
    return invalidRequest({
      detail: 'The body names a field "__proto__" or "constructor", which is refused.',
    });
  return invalidRequest({ detail: `The body is not JSON: look at ${place}.` });
}
