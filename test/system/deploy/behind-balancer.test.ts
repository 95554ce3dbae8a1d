import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { startCaddy } from '../../support/caddy.ts';
import { startNginx } from '../../support/nginx.ts';
import { findFreePort } from '../../support/process.ts';
import { lacks } from '../../support/system.ts';

/** What the README adds to a file of deploy/, with the addresses that a balancer has here. */
function addition(language: string): string {
  const pattern = new RegExp(`## Behind a balancer(?:(?!\n## )[^])*?\`\`\`${language}\n([^]*?)\`\`\``);
  const [, text = ''] = pattern.exec(readFileSync('deploy/README.md', 'utf8')) ?? [];
  return text.replace('10.0.0.0/8', '127.0.0.0/8');
}

const PROXIES = [
  {
    name: 'nginx',
    start: async (own: number, idcard: number) => {
      const config = readFileSync('deploy/nginx/protect-app.conf', 'utf8')
        .replace('listen 80;', `listen 127.0.0.1:${own};`)
        .replace('server 127.0.0.1:3000', `server 127.0.0.1:${idcard}`);
      return (await startNginx(addition('nginx') + config, own)).stop;
    },
  },
  {
    name: 'caddy',
    start: (own: number, idcard: number) => {
      const caddyfile = readFileSync('deploy/caddy/Caddyfile', 'utf8')
        .replace('\napp.example.com {', `\nhttp://127.0.0.1:${own} {`)
        .replaceAll('127.0.0.1:3000', `127.0.0.1:${idcard}`)
        .replace('\t\t\timport keepalive\n', `\t\t\timport keepalive\n${addition('caddy')}`);
      return startCaddy(caddyfile);
    },
  },
];

describe.each(PROXIES)('behind a balancer, $name of deploy/', ({ name, start }) => {
  describe.skipIf(lacks(name))('with the lines of the README', () => {
    let idcard: TestApp;
    let url: string;
    let stop: () => Promise<void>;

    beforeAll(async () => {
      idcard = await createTestApp({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
      await idcard.app.listen({ port: 0, host: '127.0.0.1' });
      const own = await findFreePort();
      url = `http://127.0.0.1:${own}`;
      stop = await start(own, Number(new URL(String(idcard.app.listeningOrigin)).port));
    });
    afterAll(async () => {
      await stop?.();
      await idcard?.close();
    });

    test.each([
      ['203.0.113.9', '203.0.113.9'],
      ['198.51.100.7, 203.0.113.9', '203.0.113.9'], // the first is the client's own word
      ['203.0.113.9:50001', '203.0.113.9'],
      ['[2001:db8::9]:50001', '2001:db8::9'],
      ['no address', '127.0.0.1'],
    ])('hands on the client of %j', async (forwarded, address) => {
      const headers = { 'x-forwarded-for': forwarded };
      const { status } = await fetch(`${url}/v1/logout`, { method: 'POST', headers });
      expect(status).toBe(204);
      expect(idcard.log().at(-1)?.address).toBe(address);
    });
  });
});
