import { StartupError } from '../base/startup-error.ts';

/** The values that a parameter may have, or their form. */
type Values = readonly string[] | RegExp;

/** The advice where the URL does not say how the connection is protected. */
export const PROTECTIONS =
  'add ?sslmode=verify-full, or verify-ca, require, or disable on a network you trust';

const ANY = /^/;
const SECONDS = /^-?\d{1,6}$/;
const SWITCH = ['0', '1'];
const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** The parameters of libpq that idcard keeps. */
const KEPT = {
  host: ANY,
  port: /^\d{0,5}(?:,\d{0,5})*$/,
  user: ANY,
  password: ANY,
  dbname: ANY,
  application_name: ANY,
  fallback_application_name: ANY,
  options: ANY,
  connect_timeout: SECONDS,
  keepalives: SWITCH,
  keepalives_idle: SECONDS,
  target_session_attrs: ['read-write', 'primary', 'any'],
  load_balance_hosts: ['disable', 'random'],
  channel_binding: ['disable', 'prefer', 'require'],
  require_auth: /^!?(?:password|md5|scram-sha-256|none)(?:,!?(?:password|md5|scram-sha-256|none))*$/,
  sslmode: ['disable', 'require', 'verify-ca', 'verify-full'],
  ssl: ['true'],
  sslnegotiation: ['postgres', 'direct'],
  sslrootcert: ANY,
  sslcert: ANY,
  sslkey: ANY,
  sslpassword: ANY,
  ssl_min_protocol_version: PROTOCOLS,
  ssl_max_protocol_version: PROTOCOLS,
} as const satisfies Record<string, Values>;

/** Parameters that change nothing with these values: idcard does so already, or does not use what they tune. */
const WITHOUT_EFFECT: Record<string, Values> = {
  client_encoding: /^(?:utf-?8|auto)$/i,
  gssencmode: ['disable', 'prefer'],
  gssdelegation: ['0'],
  krbsrvname: ANY,
  gsslib: ANY,
  keepalives_interval: SECONDS,
  keepalives_count: SECONDS,
  tcp_user_timeout: SECONDS,
  replication: ['false', 'off', 'no', '0'],
  sslcertmode: ['allow'],
  sslcompression: SWITCH,
  sslsni: ['1'],
  min_protocol_version: ['3.0'],
  max_protocol_version: ['3.0', '3.2', 'latest'],
  // Not of libpq, but printed by hosts: no prepared statement has a name here anyway; libpq's meaning; who printed it.
  pgbouncer: ['true', 'false'],
  uselibpqcompat: ['true'],
  supa: ANY,
  workaround: ANY,
};

/** The advice for parameters that are refused. */
const ADVICE: Record<string, string> = {
  hostaddr: 'name the address as the host',
  passfile: 'write the password into the URL, and the URL into the file that DATABASE_URL_FILE names',
  service: 'write out what the service says',
  servicefile: 'write out what the service says',
  requirepeer: 'it could not be kept, so remove it',
  sslcrl: 'it keeps no list of revoked certificates, so remove it',
  sslcrldir: 'it keeps no list of revoked certificates, so remove it',
  connection_limit: 'remove it, and set DATABASE_POOL_SIZE',
  pool_timeout: 'remove it: idcard has limits of its own',
  schema: 'write options=-c%20search_path%3D and the name of the schema',
  currentSchema: 'write options=-c%20search_path%3D and the name of the schema',
  statement_timeout: 'remove it: idcard has limits of its own',
};

export type Parameters = Partial<Record<keyof typeof KEPT, string>>;

/**
 * Reads the parameters of a URL as libpq does. A parameter that idcard cannot keep is refused, since it might protect; so are
 * two that contradict each other.
 * @param query what follows the question mark
 * @throws StartupError which repeats no value
 * @throws URIError
 */
export function readParameters(query: string): Parameters {
  const found = new Map<string, string>();
  for (const part of query.split('&').filter(Boolean)) {
    const [name = '', ...rest] = part.split('=');
    const value = decodeURIComponent(rest.join('=')); // libpq keeps a plus; a form would make it a blank
    check(name, value);
    if ((found.get(name) ?? value) !== value)
      throw new StartupError(`DATABASE_URL says two things as ${name}: leave one of them.`);
    found.set(name, value);
  }
  return Object.fromEntries(found);
}

function check(name: string, value: string): void {
  const values: Values | undefined = lookUp(KEPT, name) ?? lookUp(WITHOUT_EFFECT, name);
  if (!values) {
    // Not repeated: what does not look like a name may be the rest of a password.
    const shown = /^[a-zA-Z_]{1,40}$/.test(name) ? `the parameter "${name}"` : 'a parameter';
    const advice = lookUp(ADVICE, name) ?? 'remove it';
    throw new StartupError(`DATABASE_URL has ${shown}, which idcard does not know: ${advice}.`);
  }
  if (name === 'sslmode' && !isAmong(values, value)) {
    const advice =
      value === 'no-verify'
        ? 'write sslmode=require, which encrypts as much and checks as little'
        : PROTECTIONS;
    throw new StartupError(`DATABASE_URL must say how the connection is protected: ${advice}.`);
  }
  if (isAmong(values, value)) return;
  const allowed = Array.isArray(values) ? `write ${values.join(' or ')}, or remove it` : 'mend or remove it';
  throw new StartupError(`DATABASE_URL has a value of ${name} that idcard cannot keep: ${allowed}.`);
}

function isAmong(values: Values, value: string): boolean {
  return values instanceof RegExp ? values.test(value) : values.includes(value);
}

function lookUp<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
