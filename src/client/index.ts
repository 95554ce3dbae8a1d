/** The client of idcard, published as `idcard-client`: browsers, React Native, Node.js. No dependencies. */
export { bearer } from './bearer.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export { cookie } from './cookie.ts';
export { dpop } from './dpop.ts';
export { indexedDbStorage } from './indexed-db.ts';
export type * from './openapi.ts';
export { ProblemError } from './problem-error.ts';
export type { EndReason, LoginEvent } from './session.ts';
export { type KeyStorage, keyValueStorage, type LoginStorage, memoryStorage } from './storage.ts';
export type { StoredLogin, Transport } from './transport.ts';
