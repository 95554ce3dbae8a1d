import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { thumbprint } from '../tokens/jwk.ts';
import { replaceKeyFile } from '../tokens/key-file.ts';
import { rotate } from '../tokens/key-rotation.ts';
import { readKeySetFile } from './key-set-file.ts';
import { logEvent, print, withJson } from './output.ts';

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
      const activateAt = now + parseDelay(options.activateIn, config);
      const rotated = rotate(readKeySetFile(config), config, now, activateAt);
      replaceKeyFile(config.keySetFile, rotated);

      const activeFrom = Math.max(...rotated.keys.map(({ nbf = 0 }) => nbf));
      const kids = rotated.keys.filter((key) => key.nbf === activeFrom).map(thumbprint);
      const from = new Date(activeFrom * 1000).toISOString();
      logEvent('keys.rotated', { kids, signs_from: from });
      const advice = `New keys sign from ${from}. Restart every replica before that.`;
      print(options.json, { kids, signs_from: from }, advice);
    });
}

function parseDelay(text: string, { jwksMaxAgeSeconds }: Config): number {
  const seconds = Number(text);
  if (Number.isSafeInteger(seconds) && seconds >= jwksMaxAgeSeconds) return seconds;
  throw new StartupError(`--activate-in must be a whole number of seconds, at least ${jwksMaxAgeSeconds}.`);
}
