import { isInstalled } from './cores.ts';
import { createAutocannonLoad } from './load/autocannon.ts';
import { createWrkLoad } from './load/wrk.ts';

/** Requests over connections that are kept alive, sent in turn from a process on another core than the server. */
export interface Load {
  run(seconds: number): Promise<LoadResult>;
}

export interface LoadOptions {
  address: string;
  /** Sent in turn, and from the first one again; a run goes on where the one before stopped. */
  requests: readonly LoadRequest[];
  connections: number;
  /** Where each may be sent once: a run that begins anew fails. */
  once?: boolean;
}

export interface LoadRequest {
  method?: 'GET' | 'POST';
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export interface LoadResult {
  /** Answers, whatever their status. */
  requests: number;
  seconds: number;
  /** Answers of status 400 and above, and connections that broke. */
  failures: number;
  latencyMs: { median: number; p99: number };
}

export const loadGenerator = isInstalled('wrk') ? 'wrk' : 'autocannon';

export function createLoad(options: LoadOptions): Load {
  const count = options.requests.length;
  const send = loadGenerator === 'wrk' ? createWrkLoad(options) : createAutocannonLoad(options);
  let sentBefore = 0;
  return {
    async run(seconds) {
      const { sent, ...result } = await send(seconds, sentBefore % count);
      sentBefore += sent;
      if (options.once && sentBefore > count) {
        throw new Error(`Of ${count} requests that may be sent once each, ${sentBefore} were sent.`);
      }
      return result;
    },
  };
}
