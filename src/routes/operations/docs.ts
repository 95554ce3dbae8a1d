import { matches } from '../../http/if-none-match.ts';
import type { App } from '../../http/zod.ts';
import { type PageFile, readPageFile } from '../../pages/files.ts';

/**
 * The policy of the API allows nothing. The policy of the page allows what it needs: no inline code, no eval, no other
 * origin.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** A page on which every route can be tried. Each file is a route of its own: no address becomes a path of the file system. */
export function docsRoutes(app: App): void {
  serveFile(app, '/docs', 'page.html', HTML, { 'content-security-policy': PAGE_POLICY });
  serveFile(app, '/docs/page.js', 'page.js', SCRIPT);
  serveFile(app, '/docs/page.css', 'page.css', STYLE);
  serveFile(app, '/docs/swagger-ui-bundle.js', 'swagger-ui-bundle.js', SCRIPT);
  serveFile(app, '/docs/swagger-ui.css', 'swagger-ui.css', STYLE);
}

function serveFile(
  app: App,
  path: string,
  name: string,
  type: string,
  headers: Record<string, string> = {},
): void {
  let file: PageFile | undefined;
  app.get(path, (request, reply) => {
    file ??= readPageFile(name); // read once, when somebody asks for it
    // Browsers ask each time: the files of two versions do not go together.
    reply.headers({ ...headers, etag: file.etag, 'cache-control': 'no-cache' });
    if (matches(request.headers['if-none-match'], file.etag)) return reply.code(304).send();
    return reply.type(type).send(file.bytes);
  });
}
