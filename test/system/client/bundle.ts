import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const INDEX = resolve('src/client/index.ts');

/** A program that uses the client, as a bundler would deliver it; with other modules, by name. */
export async function bundle(
  program: string,
  format: 'es' | 'iife' = 'es',
  modules: Record<string, string> = {},
): Promise<string> {
  const entry = resolve('program.ts');
  const build = await rolldown({
    input: entry,
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'idcard-client' ? INDEX : id === entry || id in modules ? id : null),
        load: (id) => (id === entry ? program : (modules[id] ?? null)),
      },
    ],
  });
  const { output } = await build.generate({ format, name: 'idcard', minify: true });
  return output[0].code;
}

export function gzippedBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}
