import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, type SecureVersion } from 'node:tls';
import { StartupError } from '../base/startup-error.ts';
import { isThisMachine } from '../base/this-machine.ts';
import { type Parameters, PROTECTIONS } from './postgres-parameters.ts';

/** False for plain text. */
export type Protection = false | ConnectionOptions;

/**
 * What libpq does for each sslmode, but for those that fall back to plain text without a word.
 * @param host a name, an address, or the folder of a Unix socket, which libpq never encrypts
 * @throws StartupError
 */
export function protectionOf(host: string, parameters: Parameters): Protection {
  const { sslrootcert } = parameters;
  if (host.startsWith('/')) return false;
  const mode = modeOf(parameters);
  if (mode === undefined && sslrootcert === undefined && isThisMachine(host)) return false;
  const checked = checkOf(mode, sslrootcert);
  if (!checked) return false;
  return usable({
    ...checked,
    ...ownCertificate(parameters),
    ...versions(parameters),
  });
}

/** Refuses unusable options at the start: later each connection would fail, with an error that names no parameter. */
function usable(options: ConnectionOptions): ConnectionOptions {
  try {
    createSecureContext(options);
    return options;
  } catch (cause) {
    throw new StartupError(
      'DATABASE_URL names files of certificates, keys or versions of TLS that cannot be used: check each parameter that begins with ssl.',
      { cause },
    );
  }
}

function modeOf({ sslmode, ssl, sslrootcert }: Parameters): Parameters['sslmode'] {
  if (ssl && sslmode === 'disable')
    throw new StartupError('DATABASE_URL says two things, ssl=true and sslmode=disable: leave one of them.');
  if (sslmode !== undefined) return sslmode;
  if (sslrootcert === 'system') return 'verify-full'; // as in libpq
  return ssl && 'require';
}

/** `rejectUnauthorized` must be there: where it is left out, NODE_TLS_REJECT_UNAUTHORIZED decides. */
function checkOf(mode: string | undefined, rootCertificate: string | undefined): Protection {
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      if (rootCertificate !== undefined) return authorityOnly(rootCertificate);
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return authorityOnly(rootCertificate);
    case 'verify-full':
      if (rootCertificate === undefined || rootCertificate === 'system') return { rejectUnauthorized: true };
      return authority(rootCertificate);
    default:
      throw new StartupError(`DATABASE_URL must say how the connection is protected: ${PROTECTIONS}.`);
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
  return { rejectUnauthorized: true, ca: read('sslrootcert', path) };
}

function ownCertificate({ sslcert, sslkey, sslpassword }: Parameters): ConnectionOptions {
  if (sslcert === undefined && sslkey === undefined) return {};
  if (!sslcert || !sslkey)
    throw new StartupError('DATABASE_URL must name both sslcert and sslkey, or neither.');
  return {
    cert: read('sslcert', sslcert),
    key: read('sslkey', sslkey),
    ...(sslpassword !== undefined && { passphrase: sslpassword }),
  };
}

function versions(parameters: Parameters): ConnectionOptions {
  const { ssl_min_protocol_version: least, ssl_max_protocol_version: most } = parameters;
  return {
    ...(least !== undefined && { minVersion: least as SecureVersion }),
    ...(most !== undefined && { maxVersion: most as SecureVersion }),
  };
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new StartupError(`DATABASE_URL names a file as ${name} that cannot be read.`, { cause });
  }
}
