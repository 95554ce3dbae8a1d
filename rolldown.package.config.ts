import { defineConfig } from 'rolldown';
import packageJson from './package.json' with { type: 'json' };
import { docsPage } from './rolldown.config.ts';

/** What other programs import: readable, and with the packages that npm installs beside it left out. */
export default defineConfig({
  input: {
    index: 'src/index.ts',
    verifier: 'src/verifier/index.ts',
    testing: 'src/verifier/testing.ts',
    client: 'src/client/index.ts',
  },
  platform: 'node',
  external: [/^node:/, ...Object.keys(packageJson.dependencies).map((name) => new RegExp(`^${name}(/|$)`))],
  plugins: [docsPage],
  output: { dir: 'lib', cleanDir: true, chunkFileNames: 'chunks/[name]-[hash].js' },
});
