import { expect, test } from 'vitest';
import { StartupError } from '../../src/base/startup-error.ts';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';

const tls = { rejectUnauthorized: true };

test.each([
  ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
  ['redis://localhost/', { host: 'localhost', port: 6379, db: 0 }],
  ['redis://192.0.2.1:6380/2', { host: '192.0.2.1', port: 6380, db: 2 }],
  ['redis://[2001:db8::1]:6380', { host: '2001:db8::1', port: 6380, db: 0 }],
  ['redis://:p%23%2Fw@redis.example.com', { host: 'redis.example.com', port: 6379, password: 'p#/w', db: 0 }],
  ['redis://ada:pw@redis', { host: 'redis', port: 6379, username: 'ada', password: 'pw', db: 0 }],
  ['rediss://:pw@redis.example.com', { host: 'redis.example.com', port: 6379, password: 'pw', db: 0, tls }],
])('%s names a server', (url, server) => {
  expect(parseRedisUrl(url)).toEqual(server);
});

test.each([
  'hunter2',
  'redis.example.com:6379',
  'http://hunter2@redis.example.com',
  'REDIS//hunter2',
  'redis://',
  'redis:///hunter2',
  'redis://:hunter2@',
  'redis://hunter2@redis.example.com',
  'redis://:hunt/er2@redis.example.com',
  'redis://ada:12/hunter2@redis.example.com',
  'redis://hunter2#x@redis.example.com',
  'redis://hunter2?x@redis.example.com',
  'redis://:hunter2@redis.example.com/name',
  'redis://:hunter2@redis.example.com/0/1',
  'redis://:hunter2@redis.example.com:99999',
  'redis://:hunter2@redis.example.com?tls=true',
  'redis://:hunter2%@redis.example.com',
  'rediss+srv://:hunter2@redis.example.com',
])('%s is refused in one sentence that repeats nothing of it', (url) => {
  const refusal = (): unknown => {
    try {
      return parseRedisUrl(url);
    } catch (error) {
      return error;
    }
  };
  expect(refusal()).toEqual(
    new StartupError(
      'REDIS_URL must look like redis://:password@host:6379/0, or rediss:// for TLS, with %23 for # and the like in the password.',
    ),
  );
  expect(refusal()).not.toHaveProperty('cause');
});
