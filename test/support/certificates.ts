import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';

export interface Certificate {
  name: string;
  privateKey: KeyObject;
  /** PEM */
  certificate: string;
  /** PEM */
  key: string;
}

/** A certificate of an authority of one's own (RFC 5280), or of a host that the authority vouches for; for a day. */
export function issueCertificate(name: string, authority?: Certificate): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extension = authority
    ? sequence(oid(85, 29, 17), octets(sequence(der(0x82, Buffer.from(name))))) // subjectAltName: dNSName
    : sequence(
        oid(85, 29, 19),
        der(0x01, Buffer.from([0xff])),
        octets(sequence(der(0x01, Buffer.from([0xff])))),
      ); // CA
  const algorithm = sequence(oid(42, 134, 72, 206, 61, 4, 3, 2)); // ecdsa-with-SHA256
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // v3
    der(0x02, Buffer.from([authority ? 2 : 1])), // serial number
    algorithm,
    commonName(authority?.name ?? name),
    sequence(time(-3_600_000), time(86_400_000)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', tbs, authority?.privateKey ?? privateKey);
  const whole = sequence(tbs, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    name,
    privateKey,
    certificate: new X509Certificate(whole).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid(85, 4, 3), der(0x0c, Buffer.from(name)))));
}

function time(fromNowMs: number): Buffer {
  const digits = new Date(Date.now() + fromNowMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(digits));
}

/** The bytes of an object identifier, encoded already. */
function oid(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** Tag, length, content (X.690 §8.1). */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}
