import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { components, document } from '../support/document.ts';
import { blocksOf, readersFolder, runScript, strangersIn } from '../support/guide.ts';
import { type ServerProcess, startServer } from '../support/process.ts';
import { lacks } from '../support/system.ts';

let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  folder = readersFolder();
  server = await startServer({ RATE_LIMITS: 'off' });
});
afterAll(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** What each program of the guide prints, in its own spelling of true. */
const TRANSCRIPT = /^true account\nBearer 204\nInvalid request #\/email\n$/i;

/** A program of the guide, with this server for its own and a user for itself. */
function programOf(heading: string, language: string): string {
  return blocksOf(heading, language)
    .replaceAll('http://localhost:3000', server.url)
    .replaceAll('ada@example.com', `${language}-${heading.replaceAll(/\W/g, '')}@example.com`);
}

describe('TypeScript', () => {
  const OPTIONS = {
    strict: true,
    noUncheckedIndexedAccess: true,
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    typeRoots: [join(process.cwd(), 'node_modules/@types')],
    noEmit: true,
  };

  /** What must not compile; the names are those of the program above it. */
  const MISTAKES = {
    'openapi-typescript and openapi-fetch': [
      'idcard.POST("/v1/login", { body: { email: "", passwort: "" } })',
      'idcard.POST("/v1/logins", { body: ada })',
      'tokens.acces_token',
      'error?.titel',
      'problem?.errors?.[0]?.pointer.nothing',
      'problem.title',
    ],
    '@hey-api/openapi-ts': [
      'login({ body: { email: "", passwort: "" } })',
      'tokens.acces_token',
      'error?.titel',
      'problem?.errors?.[0]?.pointer.nothing',
      'problem.title',
    ],
    orval: [
      'login({ email: "", passwort: "" })',
      'entered.data.acces_token',
      'refused.data.title',
      'refused.status === 400 && refused.data.titel',
      'refused.status === 400 && refused.data.errors[0]',
    ],
  };

  describe.each(Object.entries(MISTAKES))('%s', (heading, mistakes) => {
    let home: string;
    beforeAll(async () => {
      home = readersFolder();
      if (heading === 'orval') writeFileSync(join(home, 'orval.config.mjs'), programOf(heading, 'js'));
      await runScript(home, blocksOf(heading, 'sh'));
      expect(strangersIn(home)).toEqual([]);
      writeFileSync(join(home, 'program.ts'), programOf(heading, 'ts'));
    }, 300_000);
    afterAll(() => rmSync(home, { recursive: true }));

    test('compiles strictly, and every mistake does not', async () => {
      const wrong = mistakes.map((mistake) => `  // @ts-expect-error\n  ${mistake};\n`).join('');
      const program = `${programOf(heading, 'ts')}\nexport function mistaken() {\n${wrong}}\n`;
      writeFileSync(join(home, 'mistaken.ts'), program);
      // What hey-api puts beside each of its clients, whatever the document, is not made for this option.
      const exactOptionalPropertyTypes = heading !== '@hey-api/openapi-ts';
      const compilerOptions = { ...OPTIONS, exactOptionalPropertyTypes };
      writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      await runScript(home, 'tsc');
    }, 120_000);

    test('registers, logs in, verifies, refreshes, logs out, and reads what was wrong', async () => {
      const bundle = await rolldown({
        input: join(home, 'program.ts'),
        platform: 'node',
        logLevel: 'silent',
      });
      await bundle.write({ file: join(home, 'program.mjs') });
      expect(await runScript(home, 'node program.mjs')).toMatch(TRANSCRIPT);
    });
  });
});

describe.skipIf(lacks('java'))('OpenAPI Generator', () => {
  const HEADING = 'Java, Kotlin, Swift, Go, C# and Python';
  const MODELS = {
    java: ['src/main/java/org/openapitools/client/model/', '.java'],
    python: ['idcard/models/', '.py'],
    kotlin: ['src/main/kotlin/org/openapitools/client/models/', '.kt'],
    swift: ['OpenAPIClient/Classes/OpenAPIs/Models/', '.swift'],
    csharp: ['src/Org.OpenAPITools/Model/', '.cs'],
    go: ['model_', '.go'],
  } as const;
  const inSnakeCase = (name: string) => name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();

  const jar = 'node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar';

  beforeAll(async () => {
    await runScript(folder, blocksOf(HEADING, 'sh'));
    expect(strangersIn(folder)).toEqual([]);
  }, 300_000);

  test('has nothing to say against the document', async () => {
    const said = await runScript(folder, `java -jar ${jar} validate --recommend -i openapi-3.0.yaml`);
    expect(said).toContain('No validation issues detected.');
  }, 120_000);

  test.each(Object.entries(MODELS))('every type is there in %s', (language, [start, end]) => {
    for (const name of Object.keys(components)) {
      const file = start.endsWith('_') || end === '.py' ? inSnakeCase(name) : name;
      expect(readFileSync(join(folder, language, `${start}${file}${end}`), 'utf8')).toContain(name);
    }
  });

  test.each(Object.keys(MODELS))('every operation is there in %s', async (language) => {
    const source = await runScript(
      folder,
      `cat $(find ${language} -iname '*api*' -type f -not -path '*docs*')`,
    );
    const names = Object.values(document.paths ?? {}).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => String(operationId)),
    );
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const spelled = language === 'python' ? inSnakeCase(name) : name;
      expect(source.toLowerCase()).toMatch(new RegExp(`\\b${spelled.toLowerCase()}\\(`));
    }
  });

  test.skipIf(lacks('javac'))(
    'the client in Java compiles and does it all',
    async () => {
      const port = new URL(server.url).port;
      const program = programOf('Java', 'java').replace(
        '"localhost").setPort(3000)',
        `"127.0.0.1").setPort(${port})`,
      );
      writeFileSync(join(folder, 'Program.java'), program);
      // The generator holds all that its client needs.
      const jar = 'node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar';
      await runScript(
        folder,
        `javac -nowarn -cp ${jar} -d classes Program.java $(find java/src/main -name '*.java')`,
      );
      expect(await runScript(folder, `java -cp classes:${jar} Program`)).toMatch(TRANSCRIPT);
    },
    120_000,
  );

  // A Python of one's own may lack what Debian's has.
  const python = '/usr/bin/python3';
  const lacksPython =
    !process.env.CI && spawnSync(python, ['-c', 'import urllib3, six, dateutil, certifi']).status !== 0;
  test.skipIf(lacksPython)(
    'the client in Python does it all',
    async () => {
      writeFileSync(join(folder, 'python/program.py'), programOf('Python', 'py'));
      expect(await runScript(folder, `${python} -W error python/program.py`)).toMatch(TRANSCRIPT);
    },
    120_000,
  );

  const goLibraries = '/usr/share/gocode';
  const lacksGo = lacks('go') || (!process.env.CI && !existsSync(`${goLibraries}/src/golang.org/x/oauth2`));
  test.skipIf(lacksGo)(
    'the client in Go compiles, passes its vet, and does it all',
    async () => {
      const goPath = `GO111MODULE=off GOFLAGS= GOPATH=${folder}/gopath:${goLibraries}`;
      writeFileSync(join(folder, 'program.go'), programOf('Go', 'go'));
      await runScript(folder, 'mkdir -p gopath/src && mv go gopath/src/idcard');
      await runScript(folder, `${goPath} go vet idcard`);
      expect(await runScript(folder, `${goPath} go run program.go`)).toMatch(TRANSCRIPT);
    },
    240_000,
  );
});
