import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { closePort } from '../../src/serve/last-connections.ts';

let server: Server;
beforeEach(async () => {
  server = createServer((_request, response) => response.setHeader('connection', 'close').end('served'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

/** Sends a request on a connection that waits at the door: this thread, which would accept it, sleeps until it is there. */
async function knock(): Promise<{ answer: Promise<string> }> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const answer = text(socket).catch((error) => error.code);
  await new Promise(process.nextTick); // then it connects
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  return { answer };
}

test('a connection that knocks in the moment of the close is reset', async () => {
  const { answer } = await knock();
  server.close();
  expect(await answer).toBe('ECONNRESET');
});

test('and served, when the close waits until nobody knocks', async () => {
  const { answer } = await knock();
  await closePort(server);
  expect(server.listening).toBe(false);
  expect(await answer).toContain('served');
});

test('a server whose port is closed still ends when its last request has its answer', async () => {
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<ServerResponse>();
  server.removeAllListeners('request').on('request', (_request, response) => asked(response));
  const { answer } = await knock();
  const response = await isAsked;
  await closePort(server);
  let hasEnded = false;
  const ended = new Promise((resolve) => server.close(resolve)).then(() => {
    hasEnded = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(hasEnded).toBe(false);
  response.setHeader('connection', 'close').end('served late');
  expect(await answer).toContain('served late');
  await ended;
});

test('who never stops knocking is not waited for', async () => {
  const busy = createTcpServer();
  const everyTurn = () => {
    busy.emit('connection');
    turn = setImmediate(everyTurn);
  };
  let turn = setImmediate(everyTurn);
  await closePort(busy);
  clearImmediate(turn);
});
