import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/config.ts';
import { createTestApp } from '../support/app.ts';

const { keepAliveSeconds } = readConfig({}).server;

/** For how long each connection to idcard is kept idle, by the files that users are given. */
const IDLE_SECONDS: Record<string, (number | undefined)[]> = {
  ...Object.fromEntries(
    globSync('deploy/nginx/*.conf').map((file) => [
      file,
      [...readFileSync(file, 'utf8').matchAll(/^upstream (idcard\S*) \{\n(.*?)^\}/gms)].map(
        ([, , block = '']) => secondsOf(/^ *keepalive_timeout (\d+s);/m.exec(block)?.[1]),
      ),
    ]),
  ),
  'deploy/caddy/Caddyfile': caddyIdleSeconds(),
  'deploy/traefik/dynamic.yaml': traefikIdleSeconds(),
};

function caddyIdleSeconds() {
  const file = readFileSync('deploy/caddy/Caddyfile', 'utf8');
  const idle = secondsOf(/^\(keepalive\) \{\n\ttransport http \{\n\t\tkeepalive (\d+s)\n/m.exec(file)?.[1]);
  const toIdcard = file.matchAll(/^(\t+)(?:reverse_proxy|forward_auth) 127\.0\.0\.1:3000 \{\n(.*?)^\1\}/gms);
  return [...toIdcard].map(([, , block = '']) => (block.includes('import keepalive\n') ? idle : undefined));
}

function traefikIdleSeconds() {
  const { services, serversTransports } = parse(readFileSync('deploy/traefik/dynamic.yaml', 'utf8')).http;
  const transport = serversTransports[services.idcard.loadBalancer.serversTransport];
  return [secondsOf(transport.forwardingTimeouts.idleConnTimeout)];
}

function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(/^(\d+)s$/.exec(text)?.[1]);
}

test.each(Object.entries(IDLE_SECONDS))(
  '%s keeps an idle connection for less time than idcard',
  (_file, idle) => {
    expect(idle.length).toBeGreaterThan(0);
    for (const seconds of idle) expect(seconds).toBeLessThan(keepAliveSeconds);
  },
);

test('so do proxies that are not told, or cannot be', () => {
  // AWS and nginx, Traefik, Caddy, Azure, Google Cloud.
  for (const seconds of [60, 90, 120, 240, 600]) expect(keepAliveSeconds).toBeGreaterThan(seconds);
});

test('KEEP_ALIVE_SECONDS is how long an idle connection lives after an answer, and is said in it', async () => {
  const idcard = await createTestApp({ env: { KEEP_ALIVE_SECONDS: '1' } });
  try {
    const { port } = new URL(await idcard.app.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
    let answers = '';
    socket.on('data', (chunk) => {
      answers += chunk;
    });
    const closed = once(socket, 'close');
    socket.write('GET /livez HTTP/1.1\r\nHost: idcard\r\n\r\n');
    await closed;
    expect(answers).toMatch(/^HTTP\/1\.1 200 .*^keep-alive: timeout=1\r$/ims);
    expect(answers.match(/HTTP\/1\.1/g)).toHaveLength(1); // closed without a word: nothing was asked
  } finally {
    await idcard.close();
  }
});
