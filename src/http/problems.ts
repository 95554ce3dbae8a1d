import { define } from '../problems/define.ts';

export const invalidRequest = define(400, 'invalid-request', 'Invalid request', 'The request is malformed.');

export const notFound = define(
  404,
  'not-found',
  'Not found',
  'There is nothing at this address; /openapi.yaml lists what there is.',
);

export const methodNotAllowed = define(
  405,
  'method-not-allowed',
  'Method not allowed',
  'This address does not take this method; the Allow header names those that it takes.',
);

export const requestTimeout = define(
  408,
  'request-timeout',
  'Request timeout',
  'The request took too long to arrive.',
);

export const payloadTooLarge = define(
  413,
  'payload-too-large',
  'Payload too large',
  'The request body is larger than 16 KiB, which is the most that is taken.',
);

export const uriTooLong = define(414, 'uri-too-long', 'URI too long', 'The address is too long.');

export const unsupportedMediaType = define(
  415,
  'unsupported-media-type',
  'Unsupported media type',
  'Send the body as JSON with "Content-Type: application/json".',
);

export const headersTooLarge = define(
  431,
  'headers-too-large',
  'Headers too large',
  'The request headers are larger than 16 KiB, which is the most that is taken.',
);
