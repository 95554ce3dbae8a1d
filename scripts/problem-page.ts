import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ProblemKind } from '../src/problems/problem.ts';
import { findProblems } from './problem-kinds.ts';

const HEAD = `# Problems

<!-- Written by "node scripts/problems.ts". -->

Whatever goes wrong is answered as \`application/problem+json\` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):

\`\`\`json
{
  "type": "urn:idcard:problem:weak-password",
  "title": "Password refused",
  "status": 400,
  "detail": "The new password is refused. Must have at least 15 characters.",
  "errors": [{ "pointer": "#/password", "code": "too-short", "detail": "Must have at least 15 characters." }]
}
\`\`\`

\`type\` is \`urn:idcard:problem:\` and the slug of the tables below. Programs compare it, and the \`code\` of an error: both are stable.
\`title\` and \`detail\` are for people; \`detail\` often says more than it does here. \`errors\` names the fields that are wrong.
\`error\` is the OAuth code, where an OAuth client would look for one. The \`X-Request-Id\` of the answer finds the request in the log.
`;

/** What a client does about the problems of a status. */
const ADVICE: Record<number, string> = {
  400: 'The request is wrong. Correct it: sent again as it was, it fails again.',
  401: 'The login is missing, over, too old or not proven. Renew the tokens or log in, as the slug says. `WWW-Authenticate` names the scheme.',
  403: 'This user, or this page, may not do this. Trying again does not help.',
  404: 'The address is wrong.',
  405: 'The method is wrong. `Allow` names the right ones.',
  408: 'The request came too slowly. Try again.',
  409: 'Something that is there stands in the way. Ask the user for something else.',
  413: 'The body is too large. Send less.',
  414: 'The address is too long. Send less in the query.',
  415: 'The body is not JSON. Send JSON.',
  429: 'Wait for the seconds in `Retry-After`, then try again.',
  431: 'The headers are too large. Send fewer cookies.',
  500: 'The server is at fault. Its log says more under the `X-Request-Id`.',
  503: 'Wait for the seconds in `Retry-After`, or for a few, then try again. The login is still there.',
};

interface Operation {
  name: string;
  isLocked: boolean;
  takesBody: boolean;
  /** As `400 weak-password`. */
  problems: Set<string>;
}

/** Routes that have a problem in common, the larger groups first. */
const GROUPS: [string, (operation: Operation) => boolean][] = [
  ['every route', () => true],
  ['every route but those with GET', ({ takesBody }) => takesBody],
  ['every route that needs a login', ({ isLocked }) => isLocked],
];

const operations = readOperations();
/** The text of `docs/problems.md`, from the problems that are defined and from `openapi.yaml`. */
export async function problemPage(): Promise<string> {
  const kinds = (await findProblems()).map(({ file, factory }) => ({ file, ...factory.kind }));
  kinds.sort((a, b) => a.status - b.status || (a.slug < b.slug ? -1 : 1));
  const statuses = [...new Set(kinds.map(({ status }) => status))];
  return [
    HEAD,
    '## What to do',
    '',
    tableOf(
      ['status', 'what a client does'],
      statuses.map((status) => [status, adviceOn(status)]),
    ),
    '',
    '## All of them',
    '',
    tableOf(
      ['slug', 'status', 'what it means', 'where'],
      kinds.map((kind) => [
        `\`${kind.slug}\``,
        kind.status,
        `**${kind.title}.** ${kind.detail}`,
        placesOf(kind),
      ]),
    ),
    '',
  ].join('\n');
}

function tableOf(head: string[], rows: (string | number)[][]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n').replaceAll('<', '\\<');
}

function adviceOn(status: number): string {
  const advice = ADVICE[status];
  if (advice === undefined)
    throw new Error(`scripts/problem-page.ts does not say what to do about ${status}.`);
  return advice;
}

/** Which routes answer with it. */
function placesOf({ status, slug, file }: ProblemKind & { file: string }): string {
  const found = operations.filter(({ problems }) => problems.has(`${status} ${slug}`));
  if (found.length === 0)
    return file.startsWith('src/verifier/') ? 'services with `idcard-verifier`' : 'any address';
  for (const [name, isOf] of GROUPS) {
    const group = operations.filter(isOf);
    if (!group.every((operation) => found.includes(operation))) continue;
    const others = found.filter((operation) => !group.includes(operation));
    return [name, ...others.map(({ name }) => `\`${name}\``)].join(', ');
  }
  return found.map(({ name }) => `\`${name}\``).join(', ');
}

function readOperations(): Operation[] {
  const { paths, components } = parse(readFileSync('openapi.yaml', 'utf8'));
  return Object.entries<Record<string, Described>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security, responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      isLocked: security === undefined,
      takesBody: method !== 'get',
      problems: new Set(
        Object.entries(responses).flatMap(([status, response]) => {
          const shared = components.responses[response.$ref?.split('/').at(-1) ?? ''];
          const { content } = (shared ?? response) as Described['responses'][string];
          const examples = content?.['application/problem+json']?.examples ?? {};
          return Object.keys(examples).map((slug) => `${status} ${slug}`);
        }),
      ),
    })),
  );
}

/** What is read here of an operation. */
interface Described {
  security?: [];
  responses: Record<
    string,
    { $ref?: string; content?: Record<string, { examples?: Record<string, unknown> }> }
  >;
}
