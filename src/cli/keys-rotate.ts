import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { readKeyFile, replaceKeyFile } from '../tokens/key-file.ts';
import { rotate } from '../tokens/key-rotation.ts';
import { JWKS_MAX_AGE_SECONDS, parseKeySet } from '../tokens/key-set.ts';
import { logEvent, print, withJson } from './output.ts';

export function keysRotate(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('rotate'))
    .description('add new keys that sign from a later moment; restart every replica before it')
    .option(
      '--activate-in <seconds>',
      `at least ${JWKS_MAX_AGE_SECONDS}, the time a verifier keeps the old keys`,
      '3600',
    )
    .action((options: { activateIn: string; json?: boolean }) => {
      const delaySeconds = Number(options.activateIn);
      if (!Number.isSafeInteger(delaySeconds) || delaySeconds < JWKS_MAX_AGE_SECONDS) {
        throw new StartupError(
          `--activate-in must be a whole number of seconds, at least ${JWKS_MAX_AGE_SECONDS}.`,
        );
      }
      const config = readConfig(env);
      if (config.keySet !== undefined) {
        throw new StartupError(
          'The key set comes from KEY_SET: put it into a file, name that in KEY_SET_FILE, rotate.',
        );
      }
      const json = readKeyFile(config.keySetFile);
      if (json === undefined)
        throw new StartupError(`There is no key file ${config.keySetFile} yet: start idcard first.`);
      const now = systemClock();
      const activeFrom = now + delaySeconds;
      const rotated = rotate(parseKeySet(json), config, now, activeFrom);
      replaceKeyFile(config.keySetFile, rotated);

      const kids = rotated.keys.filter((key) => key.nbf === activeFrom).map((key) => key.kid);
      const from = new Date(activeFrom * 1000).toISOString();
      logEvent('keys.rotated', { kids, signs_from: from });
      print(
        options.json,
        { kids, signs_from: from },
        `New keys sign from ${from}. Restart every replica before that.`,
      );
    });
}
