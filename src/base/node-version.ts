import { StartupError } from './startup-error.ts';

/* The first import of the library, so that an old Node.js gets a sentence and not what it lacks. */

const [major] = process.versions.node.split('.');
if (Number(major) < 24)
  throw new StartupError(`idcard needs Node.js 24 or later and this is ${process.version}.`);
