/** A bare Fastify with one route, which answers as `GET /livez` does. */
import Fastify from 'fastify';
import { tellAddress } from './peer.ts';

const app = Fastify();
const schema = {
  response: { 200: { type: 'object', properties: { status: { type: 'string' } }, required: ['status'] } },
};
app.get('/livez', { schema }, async () => ({ status: 'ok' }));
await tellAddress(app);
