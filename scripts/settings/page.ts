import { type Setting, settingsOf } from '../../src/config/setting.ts';
import { GROUPS } from '../../src/config/settings.ts';

const INTRODUCTION = `# Settings

<!-- Written by "node scripts/settings.ts". -->

Environment variables, or lines \`NAME=value\` of a file \`.env\` in the working folder, which gives what the environment does not. The file
is read by server and commands alike, and not where \`NODE_ENV\` is \`production\` in the environment.

An empty value counts as unset. Values that make no sense, or that contradict one another, stop the start, with a sentence for each; a name
that is nearly one of these is told. Lists are separated by commas. \`DATABASE_URL\` and \`REDIS_URL\` hold passwords: in their place
\`DATABASE_URL_FILE\` and \`REDIS_URL_FILE\` may name a file that holds the value.
`;

/** `docs/settings.md`: a table for each group. */
export function settingsPage(): string {
  const sections = Object.entries(GROUPS).map(([name, group]) =>
    [
      `## ${name.replace(/^./, (letter) => letter.toUpperCase())}\n`,
      '| variable | what it may be | default | |',
      '|---|---|---|---|',
      ...settingsOf(group).map(row),
      '',
    ].join('\n'),
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function row({ name, rule, fallback, sentence, isSecret }: Setting): string {
  const names = isSecret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  const text = String(fallback) && `\`${fallback}\``;
  const cells = [names, rule.description, typeof fallback === 'object' ? fallback.text : text, sentence];
  return `| ${cells.join(' | ')} |`;
}
