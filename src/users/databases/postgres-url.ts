import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { StartupError } from '../../startup-error.ts';
import { isThisMachine } from '../../this-machine.ts';

export interface PostgresServer {
  /** A name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  /** Absent where the server asks for none. */
  password?: string;
  database: string;
  ssl: false | ConnectionOptions;
}

const EXAMPLE = 'postgres://user:password@host:5432/name?sslmode=verify-full';

/**
 * The server of a `postgres://` URL. Its parameters are those of libpq that say how the connection is protected; any
 * other is refused, since one that is ignored might be one that protects.
 * @throws StartupError which repeats nothing of the URL but the host and the names of parameters
 */
export function parsePostgresUrl(text: string): PostgresServer {
  const url = parse(text);
  const host = url.host.replace(/^\[(.*)\]$/, '$1');
  const { sslmode, sslrootcert, ...unknown } = url.parameters;
  for (const name of Object.keys(unknown)) {
    throw new StartupError(
      `DATABASE_URL has the parameter ${JSON.stringify(name)}, which idcard does not know: remove it; sslmode and sslrootcert are known.`,
    );
  }
  return { ...url.server, host, ssl: tlsOptions(host, sslmode, sslrootcert) };
}

function parse(text: string) {
  const url = URL.parse(text);
  try {
    const [user, password, host, database] = [url?.username, url?.password, url?.hostname, url?.pathname].map(
      (part = '') => decodeURIComponent(part),
    );
    if (!url || !user || !host || !database || !/^\/[^/]+$/.test(database) || url.hash) throw new Error();
    return {
      host,
      parameters: Object.fromEntries(url.searchParams),
      server: {
        port: Number(url.port || 5432),
        user,
        ...(password && { password }),
        database: database.slice(1),
      },
    };
  } catch {
    // Without the cause: its message repeats the URL.
    throw new StartupError(
      `DATABASE_URL must look like ${EXAMPLE}, with %23 for # and the like in the password.`,
    );
  }
}

/** Here, or behind a socket in the file system. */
function isLocal(host: string): boolean {
  return isThisMachine(host) || /^\/.*$/.test(host);
}

/** What libpq does for each sslmode, but for those that fall back to plain text without a word. */
function tlsOptions(host: string, mode?: string, rootCertificate?: string): PostgresServer['ssl'] {
  if (mode === undefined && rootCertificate === undefined && isLocal(host)) return false;
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      if (rootCertificate !== undefined) return authorityOnly(rootCertificate);
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return authorityOnly(rootCertificate);
    case 'verify-full':
      return rootCertificate === undefined || rootCertificate === 'system' ? {} : authority(rootCertificate);
    default:
      throw new StartupError(
        'DATABASE_URL must say how the connection is protected: add ?sslmode=verify-full, or verify-ca, require, or disable on a network you trust.',
      );
  }
}

function authorityOnly(path: string | undefined): ConnectionOptions {
  if (path === undefined || path === 'system') {
    throw new StartupError(
      'DATABASE_URL must name the file of an authority as sslrootcert, or say sslmode=verify-full: any public authority would vouch for any host.',
    );
  }
  return { ...authority(path), checkServerIdentity: () => undefined };
}

function authority(path: string): ConnectionOptions {
  try {
    return { ca: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw new StartupError('DATABASE_URL names a file as sslrootcert that cannot be read.', { cause });
  }
}
