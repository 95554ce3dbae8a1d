import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Exchange {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: object;
  /** The address of the client, as a proxy would tell it. */
  from?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export type Send = (exchange: Exchange) => Promise<Answer>;

/** Sends over connections that are kept alive, as a proxy does for many clients. */
export function createClient(address: string): Send {
  const agent = new Agent({ keepAlive: true });
  return async ({ method, path, headers, body, from }) => {
    const json = body && JSON.stringify(body);
    const answer = Promise.withResolvers<Answer>();
    request(
      address + path,
      {
        method,
        agent,
        headers: {
          ...(from && { 'x-forwarded-for': from }),
          ...(json && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
          ...headers,
        },
      },
      (response) => {
        const { statusCode: status = 0, headers } = response;
        text(response).then((text) => answer.resolve({ status, headers, text }), answer.reject);
      },
    )
      .on('error', answer.reject)
      .end(json);
    return answer.promise;
  };
}
