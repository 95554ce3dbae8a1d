/** Writes the packages as tarballs into the folder `packages/`, which is emptied first. */
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pack } from './pack/pack.ts';
import { PACKAGES } from './pack/packages.ts';

const folder = fileURLToPath(new URL('../packages/', import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const path of await pack(Object.keys(PACKAGES), folder)) console.log(path);
