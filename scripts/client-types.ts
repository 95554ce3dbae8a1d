import { compile } from 'json-schema-to-typescript';
import { parse } from 'yaml';

/** What the compiler says of every type: by which name it was found. */
const FOUND_BY = /( \*\n)? \* This interface was referenced by .*\n \* via the `definition` .*\n/g;

/**
 * The shapes of `openapi.yaml` as TypeScript, for `src/client/`, which shares no code with the server.
 * @param slugs those of all problems; the document has only those of its routes
 */
export async function clientTypes(openapi: string, slugs: readonly string[]): Promise<string> {
  const { components } = parse(openapi.replaceAll('#/components/schemas/', '#/definitions/'));
  const document = { definitions: components.schemas, type: 'object' } as const;
  const types = await compile(document, 'Schemas', {
    additionalProperties: false,
    bannerComment: '/* Written by "npm run openapi" from openapi.yaml. */',
    style: { singleQuote: true, printWidth: 110 },
    unreachableDefinitions: true,
  });
  const shapes = types
    .replace('export interface Schemas {}\n', '')
    .replaceAll(FOUND_BY, '')
    .replaceAll('/**\n */\n', '');
  return `${shapes}${problemSlug(slugs)}`;
}

function problemSlug(slugs: readonly string[]): string {
  const members = [...new Set(slugs)].sort().map((slug) => `\n  | '${slug}'`);
  return `/**\n * Names the kind of a problem; stable. It is the end of the problem's \`type\`.\n */\nexport type ProblemSlug =${members.join('')};\n`;
}
