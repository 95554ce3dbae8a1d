import { defineConfig } from 'rolldown';

/**
 * One file for what every start needs and one for each `import()`: reading hundreds of small files takes longer than
 * anything else at a start, and what is left out takes no memory. Names of functions stay, for the stacks of the log.
 */
export default defineConfig({
  input: { 'cli/main': 'src/cli/main.ts' },
  platform: 'node',
  external: ['argon2'], // holds machine code
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: { mangle: { keepNames: true }, compress: { keepNames: { function: true, class: true } } },
    comments: { legal: true },
  },
});
