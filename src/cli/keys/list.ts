import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { readConfig } from '../../config/config.ts';
import { type Key, type KeySet, signingKey } from '../../proofs/keys/key-set.ts';
import { findKeySet } from '../../proofs/keys/load-key-set.ts';
import { refuseMissingKeys } from '../key-set-file.ts';
import { print, toDate, withJson } from '../output.ts';
import { createTable, type Table } from '../table.ts';

export function keysList(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('list'))
    .description(
      'list the keys: which signs, which is yet to, which is accepted until when; a table at a terminal, else separated by tabs',
    )
    .action((options: { json?: boolean }) => {
      const settings = readConfig(env).keys;
      const keySet = findKeySet(settings, systemClock) ?? refuseMissingKeys(settings);
      const keys = keySet.keys.map((key) => describeKey(key, keySet, systemClock()));
      if (options.json) return print(true, keys, '');
      const { isTTY } = process.stdout;
      createKeyTable().print(
        keys.map((key) => {
          const { kid, alg, signs, state, retires = '' } = key;
          return isTTY ? [kid, alg, signs, inWords(key)] : [kid, alg, signs, state, retires];
        }),
      );
    });
}

export function createKeyTable(): Table {
  return createTable(['KID', 'ALG', 'TOKENS', 'STATE'], process.stdout.isTTY, console.log);
}

/** The state of a key, for people. */
function inWords({ state, signs_from, retires }: ReturnType<typeof describeKey>): string {
  const end = retires === undefined ? '' : `, accepted until ${retires}`;
  switch (state) {
    case 'signing':
      return `signs now${end}`;
    case 'next':
      return `signs from ${signs_from}${end}`;
    case 'accepted':
      return `signs no more${end}`;
    case 'retired':
      return `retired since ${retires}`;
  }
}

/** No private member of a key: what is printed may end up in a log. */
function describeKey(key: Key, { keys }: KeySet, nowSeconds: number) {
  return {
    kid: key.kid,
    alg: key.algorithm,
    signs: key.signs,
    state: stateOf(key, keys, nowSeconds),
    signs_from: toDate(key.signsFromSeconds),
    retires: Number.isFinite(key.retiredAtSeconds) ? toDate(key.retiredAtSeconds) : undefined,
  };
}

function stateOf(
  key: Key,
  keys: readonly Key[],
  nowSeconds: number,
): 'retired' | 'signing' | 'next' | 'accepted' {
  if (nowSeconds >= key.retiredAtSeconds) return 'retired';
  if (signingKey(keys, key.signs, nowSeconds) === key) return 'signing';
  return key.signsFromSeconds > nowSeconds ? 'next' : 'accepted';
}
