import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'rolldown';

/** The files that the page at /docs is made of; the licence of Swagger UI wants to be with it. */
const DOCS_FILES = [
  ...['page.html', 'page.js', 'page.css'].map((name) => `src/pages/${name}`),
  ...['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE'].map(
    (name) => `node_modules/swagger-ui-dist/${name}`,
  ),
];

export const docsPage: Plugin = {
  name: 'docs-page',
  generateBundle() {
    for (const path of DOCS_FILES) {
      const fileName = `pages/${path.split('/').at(-1)}`;
      this.emitFile({ type: 'asset', fileName, source: readFileSync(path) });
    }
  },
};

/**
 * One file for what every start needs and one for each `import()`: reading hundreds of small files takes longer than
 * anything else at a start, and what is left out takes no memory. Names of functions stay, for the stacks of the log.
 */
export default defineConfig({
  input: { 'cli/main': 'src/cli/main.ts' },
  platform: 'node',
  external: ['argon2'], // holds machine code
  plugins: [docsPage],
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: { mangle: { keepNames: true }, compress: { keepNames: { function: true, class: true } } },
    comments: { legal: true },
  },
});
