// What any Fastify needs to start: one route.
import Fastify from 'fastify';

const app = Fastify();
app.get('/livez', async () => ({ status: 'ok' }));
await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });
