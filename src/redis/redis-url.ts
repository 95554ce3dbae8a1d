import { StartupError } from '../base/startup-error.ts';

export interface RedisServer {
  host: string;
  port: number;
  username?: string;
  /** Absent where the server asks for none. */
  password?: string;
  db: number;
  /** The certificate is checked: its authority and its host name. */
  tls?: { rejectUnauthorized: true };
}

const EXAMPLE = 'redis://:password@host:6379/0';

/**
 * The server of a `redis://` URL, or `rediss://` for TLS.
 * @throws StartupError which repeats nothing of the URL
 */
export function parseRedisUrl(text: string): RedisServer {
  const url = URL.parse(text);
  try {
    const [username, password, host] = [url?.username, url?.password, url?.hostname].map((part = '') =>
      decodeURIComponent(part),
    );
    // A path, a search or a hash may be the rest of a password that was cut at a sign like / or #.
    const isRedis = url !== null && /^rediss?:$/.test(url.protocol) && !url.search && !url.hash;
    if (!isRedis || !host || (username && !password) || !/^\/?\d{0,5}$/.test(url.pathname)) throw new Error();
    return {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || 6379),
      ...(username && { username }),
      ...(password && { password }),
      db: Number(url.pathname.slice(1)),
      ...(url.protocol === 'rediss:' && { tls: { rejectUnauthorized: true } }),
    };
  } catch {
    // Without the cause: its message repeats the URL.
    throw new StartupError(
      `REDIS_URL must look like ${EXAMPLE}, or rediss:// for TLS, with %23 for # and the like in the password.`,
    );
  }
}
