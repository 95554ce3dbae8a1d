import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { StartupError } from '../../base/startup-error.ts';
import { readConfig } from '../../config/config.ts';
import { thumbprint } from '../../proofs/keys/jwk.ts';
import { replaceKeyFile } from '../../proofs/keys/key-file.ts';
import { revoke } from '../../proofs/keys/key-rotation.ts';
import { readKeySetFile } from '../key-set-file.ts';
import { logEvent, print, withJson } from '../output.ts';

export function keysRevoke(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('revoke'))
    .description('take a key that leaked out of the set; restart every replica at once')
    .argument('<kid>')
    .action((kid: string, options: { json?: boolean }) => {
      const config = readConfig(env);
      const keySet = readKeySetFile(config.keys);
      if (!keySet.keys.some((key) => thumbprint(key) === kid)) {
        throw new StartupError('There is no key with this kid: "idcard keys list" shows them.');
      }
      const remaining = revoke(keySet, config, kid, systemClock());
      replaceKeyFile(config.keys.keySetFile, remaining);
      logEvent('keys.revoked', { kid });
      print(
        options.json,
        { revoked: kid, kids: remaining.keys.map(thumbprint) },
        `Revoked ${kid}. Restart every replica now: each accepts the key until it is restarted.`,
      );
    });
}
