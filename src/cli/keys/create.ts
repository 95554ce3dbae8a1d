import { resolve } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { readConfig } from '../../config/config.ts';
import { thumbprint } from '../../proofs/keys/jwk.ts';
import { createNewKeyFile } from '../../proofs/keys/key-file.ts';
import { generateKeySet } from '../../proofs/keys/key-rotation.ts';
import { parseKeySet } from '../../proofs/keys/key-set.ts';
import { readKeySet } from '../../proofs/keys/load-key-set.ts';
import { refuseKeySetVariable } from '../key-set-file.ts';
import { logEvent, print, withJson } from '../output.ts';
import { createKeyTable } from './list.ts';

export function keysCreate(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('create'))
    .description('make a new key set in a file, before a first start or in place of one that is lost')
    .action((options: { json?: boolean }) => {
      const settings = readConfig(env).keys;
      refuseKeySetVariable(settings);
      readKeySet(settings, parseKeySet); // a damaged one is told as such
      const keySet = generateKeySet(settings, systemClock());
      createNewKeyFile(settings.keySetFile, keySet);

      const file = resolve(settings.keySetFile);
      const kids = keySet.keys.map(thumbprint);
      logEvent('keys.created', { kids });
      if (!options.json)
        createKeyTable().print(
          keySet.keys.map((key) => [
            thumbprint(key),
            key.alg,
            key.kty === 'oct' ? 'refresh' : 'access',
            'signing',
          ]),
        );
      print(options.json, { file, kids }, `Created ${file}, which you alone can read.`);
    });
}
