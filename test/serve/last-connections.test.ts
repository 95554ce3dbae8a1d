import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { untilNobodyKnocks } from '../../src/serve/last-connections.ts';

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
  await untilNobodyKnocks(server);
  server.close();
  expect(await answer).toContain('served');
});

test('who never stops knocking is not waited for', async () => {
  const busy = createTcpServer();
  const everyTurn = () => {
    busy.emit('connection');
    turn = setImmediate(everyTurn);
  };
  let turn = setImmediate(everyTurn);
  await untilNobodyKnocks(busy);
  clearImmediate(turn);
});
