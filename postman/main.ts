/** Writes the Postman collection and environment from `openapi.yaml`; with `--check`, fails when the committed are others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import converter, { type Options } from 'openapi-to-postmanv2';
import { parse } from 'yaml';
import { type Collection, type Folder, type Item, idOf, script } from './collection.ts';
import { AFTER, BEFORE, expectStatus, FIELDS, KEEP_TOKENS } from './scripts.ts';

interface Document {
  paths: Record<string, Record<string, { operationId: string; security?: [] }>>;
}

/** The order in which a run succeeds: logging out everywhere voids the token that verifying needs. */
const FOLDERS = ['Login', 'Verification', 'Account', 'Metadata', 'Operations'];

const OPTIONS: Options = {
  folderStrategy: 'Tags',
  parametersResolution: 'Example',
  enableOptionalParameters: false,
  includeAuthInfoInExample: false,
};

const text = readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8');
const document: Document = parse(text);
write('idcard.postman_collection.json', completed(await convert(text)));
write('idcard.postman_environment.json', environment());

async function convert(data: string): Promise<Collection> {
  const conversion = await promisify(converter.convertV2)({ type: 'string', data }, OPTIONS);
  if (!conversion?.result) throw new Error(conversion?.reason);
  return conversion.output?.[0]?.data as unknown as Collection; // what the format says
}

function completed(collection: Collection): Collection {
  return {
    ...collection,
    info: { ...collection.info, _postman_id: idOf('collection') },
    item: collection.item
      .map(completedFolder)
      .sort((a, b) => FOLDERS.indexOf(a.name) - FOLDERS.indexOf(b.name)),
    event: [script('test', KEEP_TOKENS)],
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{access_token}}', type: 'string' }] },
    variable: [{ key: 'baseUrl', value: 'http://localhost:3000' }],
  };
}

function completedFolder(folder: Folder): Folder {
  if (!FOLDERS.includes(folder.name))
    throw new Error(`postman/main.ts does not say where ${folder.name} runs.`);
  return { ...folder, id: idOf(folder.name), item: folder.item.map(completedItem) };
}

function completedItem(item: Item): Item {
  const { method, url, auth: _, body, ...request } = item.request;
  const operation = document.paths[`/${url.path.join('/')}`]?.[method.toLowerCase()];
  if (!operation) throw new Error(`${method} /${url.path.join('/')} is not in openapi.yaml.`);
  const { operationId, security } = operation;
  const successes = item.response.filter(({ code }) => code < 300);
  const before = BEFORE[operationId];
  return {
    ...item,
    id: idOf(operationId),
    request: {
      ...request,
      method,
      url,
      ...(security && { auth: { type: 'noauth' } }), // else that of the collection
      ...(body?.raw && { body: { ...body, raw: withVariables(body.raw) } }),
    },
    response: successes.map((response) => ({ ...response, id: idOf(operationId, response.code) })),
    event: [
      ...(before ? [script('prerequest', before)] : []),
      script('test', expectStatus(successes[0]?.code ?? 200) + (AFTER[operationId] ?? '')),
    ],
  };
}

function withVariables(json: string): string {
  const fields = Object.entries(JSON.parse(json)).map(([name, example]) => [name, FIELDS[name] ?? example]);
  return JSON.stringify(Object.fromEntries(fields), null, 2);
}

/** Holds no value that is secret: the scripts set them, in the memory of who runs the collection. */
function environment() {
  const names = new Set(Object.values(FIELDS).map((variable) => variable.slice(2, -2)));
  return {
    id: idOf('environment'),
    name: 'idcard',
    values: [
      { key: 'baseUrl', value: 'http://localhost:3000', type: 'default', enabled: true },
      ...['access_token', ...names].map((key) => ({
        key,
        value: '',
        type: key === 'email' ? 'default' : 'secret',
        enabled: true,
      })),
    ],
    _postman_variable_scope: 'environment',
  };
}

function write(name: string, content: object): void {
  const file = new URL(name, import.meta.url);
  const json = `${JSON.stringify(content, null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(file, json);
  } else if (readFileSync(file, 'utf8') !== json) {
    console.error(`postman/${name} is not what openapi.yaml says: run "npm run openapi" and commit it.`);
    process.exitCode = 1;
  }
}
