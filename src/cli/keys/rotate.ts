import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { StartupError } from '../../base/startup-error.ts';
import { type Config, readConfig } from '../../config/config.ts';
import { thumbprint } from '../../proofs/keys/jwk.ts';
import { replaceKeyFile } from '../../proofs/keys/key-file.ts';
import { rotate } from '../../proofs/keys/key-rotation.ts';
import type { PrivateJwkSet } from '../../proofs/keys/key-set.ts';
import { readKeySetFile } from '../key-set-file.ts';
import { logEvent, print, toDate, withJson } from '../output.ts';

export function keysRotate(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('rotate'))
    .description('add new keys that sign from a later moment; restart every replica before it')
    .option(
      '--activate-in <seconds>',
      'at least JWKS_MAX_AGE_SECONDS, the time a verifier keeps old keys',
      '3600',
    )
    .action((options: { activateIn: string; json?: boolean }) => {
      const config = readConfig(env);
      const now = systemClock();
      const activateAt = now + parseDelay(options.activateIn, config.keys);
      const present = readKeySetFile(config.keys);
      const waiting = present.keys.filter(({ nbf = 0 }) => nbf > now);
      const rotated = rotate(present, config, now, activateAt);
      replaceKeyFile(config.keys.keySetFile, rotated);

      const activeFrom = Math.max(...rotated.keys.map(({ nbf = 0 }) => nbf));
      const kids = rotated.keys.filter((key) => key.nbf === activeFrom).map(thumbprint);
      const from = toDate(activeFrom);
      logEvent('keys.rotated', { kids, signs_from: from });
      const lastRestart = toDate(activeFrom - config.keys.jwksMaxAgeSeconds);
      const advice = [
        `New keys sign from ${from}, in ${describeSeconds(activeFrom - now)}. Restart every replica before that.`,
        `The last one by ${lastRestart}: it publishes them from then on, and verifiers may keep the old set for ${config.keys.jwksMaxAgeSeconds} s.`,
      ];
      if (waiting.length > 0) advice.push(describeWaiting(waiting));
      print(options.json, { kids, signs_from: from, waiting: waiting.map(thumbprint) }, advice.join('\n'));
    });
}

/** A warning, for an operator who gave the command twice and meant one rotation. */
function describeWaiting(keys: PrivateJwkSet['keys']): string {
  const from = Math.min(...keys.map(({ nbf = 0 }) => nbf));
  return `Others were waiting already, to sign from ${toDate(from)}: the new ones come after them, and nothing is lost. "idcard keys list" shows all.`;
}

function describeSeconds(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
}

function parseDelay(text: string, { jwksMaxAgeSeconds }: Config['keys']): number {
  const seconds = Number(text);
  if (Number.isSafeInteger(seconds) && seconds >= jwksMaxAgeSeconds) return seconds;
  throw new StartupError(`--activate-in must be a whole number of seconds, at least ${jwksMaxAgeSeconds}.`);
}
