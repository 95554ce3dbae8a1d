import { defineConfig } from 'vite';

export default defineConfig({
  resolve: { tsconfigPaths: true }, // `idcard-client` is beside this app here; yours has it from the package
  server: {
    port: 5173,
    strictPort: true, // PUBLIC_URL names it
    proxy: Object.fromEntries(
      ['/v1', '/.well-known', '/docs', '/openapi'].map((path) => [path, 'http://localhost:3000']),
    ),
  },
});
