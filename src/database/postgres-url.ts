import { StartupError } from '../base/startup-error.ts';
import { type Parameters, readParameters } from './postgres-parameters.ts';
import { type Protection, protectionOf } from './postgres-tls.ts';

export interface PostgresHost {
  /** A name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  ssl: Protection;
}

/** A way to prove the password, in the words of libpq's require_auth. */
export type AuthenticationMethod = 'password' | 'md5' | 'scram-sha-256' | 'none';

export interface PostgresServer {
  /** Tried in this order until a host takes changes. */
  hosts: readonly PostgresHost[];
  user: string;
  /** Absent where the server asks for no password. */
  password?: string;
  database: string;
  applicationName: string;
  /** Settings of the session, like `-c search_path=idcard`. */
  options?: string;
  channelBinding: 'disable' | 'prefer' | 'require';
  methods?: ReadonlySet<AuthenticationMethod>;
  sslNegotiation: 'postgres' | 'direct';
  keepAlive: boolean;
  keepAliveDelayMs: number;
  /** How long a start may wait for a connection. */
  startTimeoutMs?: number;
}

const EXAMPLE = 'postgres://user:password@host:5432/name?sslmode=verify-full';
const METHODS: readonly AuthenticationMethod[] = ['password', 'md5', 'scram-sha-256', 'none'];

/**
 * The server, or several, of a `postgres://` URL as libpq reads it.
 * @throws StartupError which repeats nothing of the URL but hosts and the names of parameters
 */
export function parsePostgresUrl(text: string): PostgresServer {
  const { parameters, addresses, ...who } = parse(text);
  const hosts = addresses.map(({ host, port }) => ({ host, port, ssl: protectionOf(host, parameters) }));
  const { channel_binding = 'prefer', sslnegotiation = 'postgres', load_balance_hosts } = parameters;
  if (hosts.some(({ ssl }) => !ssl)) {
    if (channel_binding === 'require' || sslnegotiation === 'direct')
      throw new StartupError(
        'DATABASE_URL must say sslmode=verify-full, or require, for channel_binding=require and sslnegotiation=direct: they are of TLS.',
      );
  }
  const { options, require_auth, connect_timeout, keepalives, keepalives_idle } = parameters;
  const startSeconds = Number(connect_timeout ?? 0);
  return {
    ...who,
    hosts: load_balance_hosts === 'random' ? shuffled(hosts) : hosts,
    applicationName: parameters.application_name || parameters.fallback_application_name || 'idcard',
    ...(options && { options }),
    channelBinding: channel_binding as PostgresServer['channelBinding'],
    ...(require_auth !== undefined && { methods: methodsOf(require_auth) }),
    sslNegotiation: sslnegotiation as PostgresServer['sslNegotiation'],
    keepAlive: keepalives !== '0',
    keepAliveDelayMs: Math.max(0, Number(keepalives_idle ?? 0)) * 1000,
    ...(startSeconds > 0 && { startTimeoutMs: startSeconds * 1000 }),
  };
}

function parse(text: string) {
  try {
    // Not by `URL`, which allows one host.
    const [, authority = '', path = '', query = ''] =
      /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/.exec(text) ?? [];
    const at = authority.lastIndexOf('@');
    if (at < 0 && query.includes('@')) throw new Error(); // the rest of a password that was cut at its question mark
    const [userOfUrl = '', ...passwordOfUrl] = authority.slice(0, Math.max(at, 0)).split(':');
    const parameters = readParameters(query);
    const user = parameters.user || decodeURIComponent(userOfUrl);
    const password = parameters.password || decodeURIComponent(passwordOfUrl.join(':'));
    const database = parameters.dbname || decodeURIComponent(path);
    const addresses = addressesOf(authority.slice(at + 1), parameters);
    if (!user || !database) throw new Error();
    return { parameters, addresses, user, ...(password && { password }), database };
  } catch (error) {
    if (error instanceof StartupError) throw error;
    // No cause: its message repeats the URL.
    throw new StartupError(
      `DATABASE_URL must look like ${EXAMPLE}, with %23 for # and the like in the password.`,
    );
  }
}

/** Pairs each host with the port at the same place, or with the only port. @throws Error without a message */
function addressesOf(authority: string, { host, port }: Parameters): Omit<PostgresHost, 'ssl'>[] {
  const ofUrl = authority.split(',').map(nameAndPort);
  const names = host ? host.split(',') : ofUrl.map(({ name }) => name);
  const ports = port ? port.split(',') : ofUrl.map((each) => each.port);
  if (ports.length > 1 && ports.length !== names.length) throw new Error();
  return names.map((name, index) => {
    const number = Number(ports[ports.length === 1 ? 0 : index] || 5432);
    if (!isHost(name) || !(number >= 1 && number <= 65_535)) throw new Error();
    return { host: name, port: number };
  });
}

function nameAndPort(part: string): { name: string; port: string } {
  const found = /^(?:\[([\da-fA-F:.%]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(part);
  if (!found) throw new Error();
  const [, address, name = '', port = ''] = found;
  return { name: decodeURIComponent(address ?? name), port };
}

function isHost(name: string): boolean {
  return name.startsWith('/') || /^[^\s@/?#,[\]]+$/.test(name);
}

function methodsOf(list: string): Set<AuthenticationMethod> {
  const named = list.split(',');
  const refused = named.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  if (refused.length === 0) return new Set(named as AuthenticationMethod[]);
  if (refused.length < named.length)
    throw new StartupError(
      'DATABASE_URL must have require_auth say what is allowed, or what is not, and not both.',
    );
  return new Set(METHODS.filter((method) => !refused.includes(method)));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
