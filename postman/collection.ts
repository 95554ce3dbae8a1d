import { createHash } from 'node:crypto';

/* What is used here of the format: https://schema.postman.com/json/collection/v2.1.0/collection.json */

export interface Item {
  id: string;
  name: string;
  request: {
    method: string;
    url: { path: string[] };
    auth?: { type: 'noauth' } | null;
    body?: { raw?: string };
  };
  response: { id: string; code: number }[];
  event: Script[];
}

export interface Folder {
  id: string;
  name: string;
  item: Item[];
}

export interface Collection {
  info: { _postman_id: string };
  item: Folder[];
  event: Script[];
  auth: { type: 'bearer'; bearer: { key: 'token'; value: string; type: 'string' }[] };
  variable: { key: string; value: string }[];
}

export interface Script {
  listen: 'prerequest' | 'test';
  script: { type: 'text/javascript'; exec: string[] };
}

export function script(listen: Script['listen'], code: string): Script {
  return { listen, script: { type: 'text/javascript', exec: code.trim().split('\n') } };
}

/** The same for the same name, so that what is generated changes with the document alone. */
export function idOf(...names: (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(names)).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
