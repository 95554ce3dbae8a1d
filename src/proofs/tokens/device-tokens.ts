import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Config } from '../../config/config.ts';
import { deriveSecrets, type SecretKeys } from '../keys/derived-secrets.ts';

/**
 * A device keeps its token beyond the end of a login (OWASP: device cookies). A device token logs nobody in. It is for one account,
 * and attempts with it are counted apart from those of strangers, so that strangers cannot keep the owner out. No store.
 */
export interface DeviceTokens {
  /** A token for a client that has just logged in by this email. */
  issue(email: string): string;
  /** The device to which a token was given for this email; undefined for anything else. */
  deviceOf(token: string | undefined, email: string): string | undefined;
}

type Dependencies = {
  settings: Pick<Config['tokens'], 'loginMaxAgeSeconds' | 'clockToleranceSeconds'>;
  keySet: SecretKeys;
  clock: Clock;
};

const ID_BYTES = 16;
const TIME_BYTES = 6;
const HEAD_BYTES = ID_BYTES + TIME_BYTES;
/** Head and HMAC have 54 bytes, which fill 72 letters to the last bit: a token has one spelling. */
const TOKEN = /^[\w-]{72}$/;

/** A device token is a random id and the time of issue, signed with the email. It lives as long as a login may. */
export function createDeviceTokens({ settings, keySet, clock }: Dependencies): DeviceTokens {
  const { loginMaxAgeSeconds, clockToleranceSeconds } = settings;
  const secrets = deriveSecrets(keySet, 'idcard device token');

  return {
    issue(email) {
      const head = Buffer.alloc(HEAD_BYTES);
      randomBytes(ID_BYTES).copy(head);
      head.writeUIntBE(clock(), ID_BYTES, TIME_BYTES);
      const secret = secrets.of(keySet.signingKey('refresh').kid);
      return Buffer.concat([head, sign(secret, head, email)]).toString('base64url');
    },
    deviceOf(token, email) {
      if (token === undefined || !TOKEN.test(token)) return undefined;
      const bytes = Buffer.from(token, 'base64url');
      const [head, signature] = [bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES)];
      const ageSeconds = clock() - head.readUIntBE(ID_BYTES, TIME_BYTES);
      if (ageSeconds >= loginMaxAgeSeconds || ageSeconds < -clockToleranceSeconds) return undefined;
      const isOurs = secrets
        .accepted()
        .some((kid) => timingSafeEqual(sign(secrets.of(kid), head, email), signature));
      return isOurs ? head.toString('base64url', 0, ID_BYTES) : undefined;
    },
  };
}

function sign(secret: Buffer, head: Buffer, email: string): Buffer {
  return createHmac('sha256', secret).update(head).update(email).digest();
}
